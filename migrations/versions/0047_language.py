"""Language: the one in which somebody reads the pages; null is the browser's."""

from __future__ import annotations

from alembic import op

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE auth.users ADD COLUMN language text")


def downgrade() -> None:
    op.execute("ALTER TABLE auth.users DROP COLUMN language")
