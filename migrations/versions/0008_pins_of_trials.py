"""What a trial does not run: the versions made for trials carry the outputs that are pinned."""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("ALTER TABLE workflow.workflow_versions ADD COLUMN pins jsonb")


def downgrade() -> None:
    raise NotImplementedError("migrations only go forward")
