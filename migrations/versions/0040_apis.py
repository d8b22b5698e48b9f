"""APIs: descriptions that people have added, with their versions, and the operations that they chose as actions."""

from __future__ import annotations

from alembic import op

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None

STATEMENTS = """
CREATE TABLE workflow.apis (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL,
    name text NOT NULL,
    source text NOT NULL,
    version_id uuid,
    actions jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX uq_apis_name ON workflow.apis (user_id, name);
CREATE TABLE workflow.api_versions (
    id uuid PRIMARY KEY,
    api_id uuid NOT NULL REFERENCES workflow.apis (id) ON DELETE CASCADE,
    sha256 text NOT NULL,
    title text NOT NULL,
    number text NOT NULL,
    format text NOT NULL,
    address text NOT NULL,
    size integer NOT NULL,
    content bytea NOT NULL,
    operations jsonb NOT NULL,
    refused jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX uq_api_versions_sha256 ON workflow.api_versions (api_id, sha256);
"""


def upgrade() -> None:
    op.execute(STATEMENTS)


def downgrade() -> None:
    op.execute("DROP TABLE workflow.api_versions; DROP TABLE workflow.apis")
