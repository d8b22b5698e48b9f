"""Keys of lines of the log begin with their time, so that new ones lie side by side in the index."""

from __future__ import annotations

from alembic import op

revision = "0054"
down_revision = "0052"
branch_labels = None
depends_on = None

PUT_TIME_FIRST = """
UPDATE logbook.execution_logs l SET dedup_key = left(named.id, 8) || left(l.dedup_key, 14)
FROM (
    SELECT dedup_key, CASE event_type WHEN 'LOG' THEN data->>'lineId' ELSE COALESCE(execution_id, event_id)::text END AS id
    FROM logbook.execution_logs WHERE "timestamp" > now() - interval '1 hour' AND length(dedup_key) = 22
) AS named
WHERE l.dedup_key = named.dedup_key AND left(named.id, 8) <> left(l.dedup_key, 8)
"""
"""As 0030 does it: a message that is delivered again after the change is known by its key."""


def upgrade() -> None:
    op.execute(PUT_TIME_FIRST)


def downgrade() -> None:
    """Leaves the keys: 0030 makes those of the release before of what the lines say."""
