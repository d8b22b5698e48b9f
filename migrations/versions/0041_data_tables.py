"""Data tables: rows that last between executions, and the keys that steps remember."""

from __future__ import annotations

from alembic import op

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None

STATEMENTS = """
CREATE SCHEMA data_tables;
CREATE TABLE data_tables.tables (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL,
    name text NOT NULL,
    columns jsonb NOT NULL,
    key_column text,
    expire_after integer,
    row_count bigint NOT NULL DEFAULT 0,
    bytes bigint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    deleted_at timestamptz
);
CREATE UNIQUE INDEX uq_tables_name ON data_tables.tables (user_id, name) WHERE deleted_at IS NULL;
CREATE TABLE data_tables.rows (
    table_id uuid NOT NULL,
    id uuid NOT NULL,
    key text,
    data jsonb NOT NULL,
    size integer NOT NULL GENERATED ALWAYS AS (octet_length(data::text)) STORED,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz,
    PRIMARY KEY (table_id, id)
);
CREATE UNIQUE INDEX uq_rows_key ON data_tables.rows (table_id, key);
CREATE INDEX idx_rows_data ON data_tables.rows USING gin (data jsonb_path_ops);
CREATE INDEX idx_rows_expires_at ON data_tables.rows (expires_at) WHERE expires_at IS NOT NULL;
CREATE TABLE data_tables.writes (
    execution_id uuid NOT NULL,
    call text NOT NULL,
    answer text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (execution_id, call)
);
CREATE INDEX idx_writes_created_at ON data_tables.writes (created_at);
CREATE TABLE data_tables.remembered (
    user_id uuid NOT NULL,
    scope uuid NOT NULL,
    digest bytea NOT NULL,
    call text NOT NULL,
    since timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (user_id, scope, digest)
);
CREATE INDEX idx_remembered_expires_at ON data_tables.remembered (expires_at);
ALTER TABLE auth.users ADD COLUMN table_rows bigint;
ALTER TABLE auth.users ADD COLUMN table_bytes bigint;
ALTER TABLE auth.quotas ADD COLUMN table_rows bigint;
ALTER TABLE auth.quotas ADD COLUMN table_bytes bigint;
"""


def upgrade() -> None:
    op.execute(STATEMENTS)


def downgrade() -> None:
    """The tables are lost with their rows."""
    op.execute("""
        DROP SCHEMA data_tables CASCADE;
        ALTER TABLE auth.quotas DROP COLUMN table_bytes;
        ALTER TABLE auth.quotas DROP COLUMN table_rows;
        ALTER TABLE auth.users DROP COLUMN table_bytes;
        ALTER TABLE auth.users DROP COLUMN table_rows;
    """)
