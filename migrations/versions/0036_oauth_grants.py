"""Tokens of connections that people sign in with, and the sign-ins that have begun; steps that wait for one are found
by their connection."""

from __future__ import annotations

from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None

STATEMENTS = """
CREATE TABLE workflow.oauth_grants (
    id uuid PRIMARY KEY REFERENCES workflow.connections (id) ON DELETE CASCADE,
    generation integer NOT NULL,
    tokens text,
    ends_at timestamptz,
    renew_at timestamptz,
    scopes text[],
    identity text,
    signed_in_at timestamptz,
    renewed_at timestamptz,
    renewing_by text,
    renewing_until timestamptz,
    broken_at timestamptz,
    problem text,
    told_at timestamptz
);
CREATE INDEX idx_oauth_grants_untold ON workflow.oauth_grants (broken_at)
    WHERE broken_at IS NOT NULL AND told_at IS NULL;
CREATE TABLE workflow.oauth_sign_ins (
    id text PRIMARY KEY,
    connection_id uuid NOT NULL REFERENCES workflow.connections (id) ON DELETE CASCADE,
    session_id uuid NOT NULL,
    secret text,
    user_code text,
    url text,
    complete_url text,
    "interval" integer,
    ask_at timestamptz,
    ends_at timestamptz NOT NULL
);
CREATE INDEX idx_oauth_sign_ins_connection ON workflow.oauth_sign_ins (connection_id);
CREATE INDEX idx_oauth_sign_ins_ends ON workflow.oauth_sign_ins (ends_at);
"""


def upgrade() -> None:
    op.execute(STATEMENTS)


def downgrade() -> None:
    op.execute("DROP TABLE workflow.oauth_sign_ins")
    op.execute("DROP TABLE workflow.oauth_grants")
