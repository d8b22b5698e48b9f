"""Two indexes go that no query reads any more: since 0011 limits look at what is placed, placeless or turnless."""

from __future__ import annotations

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

STATEMENTS = """
DROP INDEX IF EXISTS orchestrator.idx_executions_concurrency;
DROP INDEX IF EXISTS orchestrator.idx_executions_queued;
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(STATEMENTS)


def downgrade() -> None:
    raise NotImplementedError("migrations only go forward")
