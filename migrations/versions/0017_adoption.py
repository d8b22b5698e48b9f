"""When a database of the originals was adopted: the age at which its executions are deleted counts from then."""

from __future__ import annotations

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

STATEMENTS = """
CREATE TABLE orchestrator.adoption (
    name text PRIMARY KEY,
    adopted_at timestamptz NOT NULL
);

-- Executions without an event are not ours. Where ours stand beside them, the adoption came before the oldest event.
INSERT INTO orchestrator.adoption (name, adopted_at)
SELECT 'executions', COALESCE((SELECT min(created_at) FROM trigger_service.trigger_events), now())
WHERE EXISTS (SELECT FROM orchestrator.workflow_executions WHERE event_id IS NULL);
"""


def upgrade() -> None:
    op.execute(STATEMENTS)


def downgrade() -> None:
    op.execute("DROP TABLE orchestrator.adoption")
