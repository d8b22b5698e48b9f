"""Theme and density of the pages, as an account has chosen them; null: as everywhere."""

from __future__ import annotations

from alembic import op

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE auth.users ADD COLUMN theme text, ADD COLUMN density text")


def downgrade() -> None:
    op.execute("ALTER TABLE auth.users DROP COLUMN theme, DROP COLUMN density")
