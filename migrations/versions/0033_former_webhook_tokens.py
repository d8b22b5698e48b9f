"""Former tokens of webhooks, which go on for a time after they were renewed."""

from __future__ import annotations

from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

STATEMENTS = """
CREATE TABLE trigger_service.former_webhook_tokens (
    token text PRIMARY KEY,
    trigger_id uuid NOT NULL REFERENCES trigger_service.trigger_registrations (id) ON DELETE CASCADE,
    ends_at timestamptz NOT NULL
);
CREATE INDEX idx_former_webhook_tokens_trigger ON trigger_service.former_webhook_tokens (trigger_id);
"""


def upgrade() -> None:
    op.execute(STATEMENTS)


def downgrade() -> None:
    op.execute("DROP TABLE trigger_service.former_webhook_tokens")
