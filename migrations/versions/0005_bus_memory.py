"""What the bus was when it was last seen: how a Valkey that was emptied is noticed."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

STATEMENTS = """
CREATE TABLE orchestrator.bus_memory (
    name text PRIMARY KEY,
    epoch text NOT NULL,
    seen_at timestamptz NOT NULL
);
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(STATEMENTS)


def downgrade() -> None:
    raise NotImplementedError("migrations only go forward")
