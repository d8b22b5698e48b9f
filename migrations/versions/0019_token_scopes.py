"""Personal access tokens have scopes. Those made before could do everything, and still can."""

from __future__ import annotations

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

UNDOING = """
-- For the release before every token may do everything: those that may not are gone.
DELETE FROM auth.access_tokens WHERE NOT scopes @> '{read,run,write,admin}';
ALTER TABLE auth.access_tokens DROP COLUMN scopes;
"""


def upgrade() -> None:
    op.execute(
        "ALTER TABLE auth.access_tokens"
        " ADD COLUMN IF NOT EXISTS scopes text[] NOT NULL DEFAULT '{read,run,write,admin}'"
    )


def downgrade() -> None:
    op.execute(UNDOING)
