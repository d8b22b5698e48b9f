"""The audit log: appended to, deleted from by retention alone, never changed."""

from __future__ import annotations

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

STATEMENTS = """
CREATE TABLE auth.audit_log (
    id uuid PRIMARY KEY,
    occurred_at timestamptz NOT NULL,
    action text NOT NULL,
    actor_id uuid,
    actor_name text,
    account_id uuid,
    account_name text,
    subject_id uuid,
    subject_name text,
    address text,
    request_id text,
    via text,
    details jsonb NOT NULL
);
CREATE INDEX idx_audit_action ON auth.audit_log (action, id);
CREATE INDEX idx_audit_account ON auth.audit_log (account_id, id);
CREATE INDEX idx_audit_account_action ON auth.audit_log (account_id, action, id);
CREATE INDEX idx_audit_actor ON auth.audit_log (actor_id, id);
CREATE INDEX idx_audit_actor_action ON auth.audit_log (actor_id, action, id);
CREATE INDEX idx_audit_time ON auth.audit_log (occurred_at);

CREATE FUNCTION auth.keep_audit_log() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF current_setting('flowforge.deleting', true) = 'expired audit entries'
           AND OLD.occurred_at < now() - interval '1 day' THEN
            RETURN OLD;
        END IF;
    END IF;
    RAISE EXCEPTION 'the audit log is appended to, and deleted from by retention alone' USING ERRCODE = '42501';
END
$$;
CREATE TRIGGER keep_entries BEFORE UPDATE OR DELETE ON auth.audit_log
    FOR EACH ROW EXECUTE FUNCTION auth.keep_audit_log();
CREATE TRIGGER keep_table BEFORE TRUNCATE ON auth.audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION auth.keep_audit_log();
"""

UNDOING = """
DROP TABLE auth.audit_log;
DROP FUNCTION auth.keep_audit_log;
"""


def upgrade() -> None:
    op.execute(STATEMENTS)


def downgrade() -> None:
    op.execute(UNDOING)
