"""How far the log was checked gets a table of its own: until now it was kept among the bus's marks, an execution's id in
the column for one. That row stays for processes of the previous release, which end soon."""

from __future__ import annotations

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

STATEMENTS = r"""
CREATE TABLE orchestrator.log_repair_positions (
    name text PRIMARY KEY,
    finished_at timestamptz NOT NULL,
    execution_id uuid NOT NULL
);
INSERT INTO orchestrator.log_repair_positions (name, finished_at, execution_id)
SELECT name, seen_at, epoch::uuid FROM orchestrator.bus_memory
WHERE name = 'ended executions' AND epoch ~ '^[0-9a-f-]{36}$';
"""

UNDOING = """
INSERT INTO orchestrator.bus_memory (name, epoch, seen_at)
SELECT name, execution_id::text, finished_at FROM orchestrator.log_repair_positions
ON CONFLICT (name) DO UPDATE SET epoch = excluded.epoch, seen_at = excluded.seen_at;
DROP TABLE orchestrator.log_repair_positions;
"""


def upgrade() -> None:
    op.execute(STATEMENTS)


def downgrade() -> None:
    op.execute(UNDOING)
