"""Keys of workflows that are kept as text: names of their owner's, the same on every server."""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

STATEMENTS = """
ALTER TABLE workflow.workflows ADD COLUMN key text;
CREATE UNIQUE INDEX uq_workflows_key ON workflow.workflows (user_id, key) WHERE key IS NOT NULL;
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(STATEMENTS)


def downgrade() -> None:
    raise NotImplementedError("migrations only go forward")
