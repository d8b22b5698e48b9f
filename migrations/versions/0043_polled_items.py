"""What polls have seen: the items of each trigger, and how far it has come."""

from __future__ import annotations

from alembic import op

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE trigger_service.poll_states (
            trigger_id uuid PRIMARY KEY
                REFERENCES trigger_service.trigger_registrations (id) ON DELETE CASCADE,
            round bigint NOT NULL,
            source text NOT NULL,
            highest jsonb NOT NULL,
            remembered bigint NOT NULL,
            polled_at timestamptz,
            kept jsonb NOT NULL
        )
    """)
    op.execute("""
        CREATE TABLE trigger_service.polled_items (
            trigger_id uuid NOT NULL REFERENCES trigger_service.poll_states (trigger_id) ON DELETE CASCADE,
            key bytea NOT NULL,
            content bytea NOT NULL,
            seen_at timestamptz NOT NULL,
            PRIMARY KEY (trigger_id, key)
        )
    """)
    op.execute("CREATE INDEX idx_polled_items_seen_at ON trigger_service.polled_items (trigger_id, seen_at)")


def downgrade() -> None:
    op.execute("DROP TABLE trigger_service.polled_items")
    op.execute("DROP TABLE trigger_service.poll_states")
