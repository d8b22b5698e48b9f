"""Accounts have a role, can be disabled, and can be limited; people are invited and reset their passwords by links.

The oldest account owns the instance. The one that the originals' setup script puts into every database does not: its
password is published. Name keys are filled at every start (flowforge.db.name_keys), since the release before may go on
adding accounts without one.
"""

from __future__ import annotations

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

STATEMENTS = """
ALTER TABLE auth.users
    ADD COLUMN IF NOT EXISTS role text NOT NULL DEFAULT 'member',
    ADD COLUMN IF NOT EXISTS name_key text,
    ADD COLUMN IF NOT EXISTS credentials_epoch integer NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS disabled_at timestamptz,
    ADD COLUMN IF NOT EXISTS over_quota text,
    ADD COLUMN IF NOT EXISTS over_quota_until timestamptz;
CREATE UNIQUE INDEX uq_users_name_key ON auth.users (name_key);
CREATE UNIQUE INDEX uq_users_owner ON auth.users (role) WHERE role = 'owner';
CREATE INDEX idx_users_email_folded ON auth.users (lower(email));
UPDATE auth.users SET role = 'owner' WHERE id = (
    SELECT id FROM auth.users WHERE username <> 'flowadmin' ORDER BY created_at, id LIMIT 1
);

CREATE TABLE auth.invitations (
    id uuid PRIMARY KEY,
    token_hash bytea NOT NULL UNIQUE,
    email text,
    role text NOT NULL,
    invited_by uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL
);
CREATE INDEX idx_invitations_created ON auth.invitations (created_at);

CREATE TABLE auth.password_resets (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES auth.users (id) ON DELETE CASCADE,
    token_hash bytea NOT NULL UNIQUE,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL
);
CREATE INDEX idx_password_resets_user ON auth.password_resets (user_id);

CREATE TABLE auth.quotas (
    user_id uuid PRIMARY KEY REFERENCES auth.users (id) ON DELETE CASCADE,
    workflows integer,
    executions_a_day integer,
    bytes bigint,
    updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE auth.daily_usage (
    user_id uuid NOT NULL,
    day date NOT NULL,
    executions bigint NOT NULL DEFAULT 0,
    bytes bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (user_id, day)
);
CREATE INDEX idx_daily_usage_day ON auth.daily_usage (day);

CREATE TABLE auth.usage_positions (
    name text PRIMARY KEY,
    counted_until timestamptz NOT NULL
);
"""

UNDOING = """
-- The release before knows no disabled accounts: what nobody's password matches keeps them out.
UPDATE auth.users SET password = '!' || password WHERE disabled_at IS NOT NULL;
DROP TABLE auth.usage_positions, auth.daily_usage, auth.quotas, auth.password_resets, auth.invitations;
DROP INDEX auth.idx_users_email_folded;
ALTER TABLE auth.users
    DROP COLUMN role, DROP COLUMN name_key, DROP COLUMN credentials_epoch, DROP COLUMN disabled_at,
    DROP COLUMN over_quota, DROP COLUMN over_quota_until;
"""


def upgrade() -> None:
    op.execute(STATEMENTS)


def downgrade() -> None:
    op.execute(UNDOING)
