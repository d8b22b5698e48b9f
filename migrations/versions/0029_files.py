"""Files: what people and programs have sent, and steps have downloaded; their content lies in a store outside."""

from __future__ import annotations

from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

STATEMENTS = """
CREATE SCHEMA files;
CREATE TABLE files.contents (
    sha256 text PRIMARY KEY,
    object_key uuid NOT NULL,
    files integer NOT NULL
);
CREATE TABLE files.files (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL,
    name text NOT NULL,
    type text NOT NULL,
    size bigint NOT NULL,
    sha256 text NOT NULL REFERENCES files.contents (sha256),
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX idx_files_user ON files.files (user_id);
CREATE TABLE files.uses (
    holder_id uuid NOT NULL,
    file_id uuid NOT NULL REFERENCES files.files (id),
    since timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (holder_id, file_id)
);
CREATE INDEX idx_uses_file ON files.uses (file_id);
CREATE INDEX idx_uses_since ON files.uses (since);
CREATE TABLE files.unreferenced (
    object_key uuid PRIMARY KEY,
    since timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX idx_unreferenced_since ON files.unreferenced (since);
ALTER TABLE auth.users ADD COLUMN file_bytes bigint;
ALTER TABLE auth.quotas ADD COLUMN file_bytes bigint;
"""


def upgrade() -> None:
    op.execute(STATEMENTS)


def downgrade() -> None:
    """The store keeps the contents, which nothing refers to any more."""
    op.execute("""
        DROP SCHEMA files CASCADE;
        ALTER TABLE auth.quotas DROP COLUMN file_bytes;
        ALTER TABLE auth.users DROP COLUMN file_bytes;
    """)
