"""The log takes less: its lines have packed data and short keys, and no index by their ids, which nobody looks for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from alembic import op

from flowforge import jsonio
from flowforge.logbook.packed_data import unpack

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

SHORTEN_RECENT_KEYS = """
UPDATE logbook.execution_logs
SET dedup_key = rtrim(translate(encode(substr(sha256(convert_to(dedup_key, 'UTF8')), 1, 16), 'base64'), '+/', '-_'), '=')
WHERE "timestamp" > now() - interval '1 hour'
"""
"""A message that is delivered again after the change is known by its key; of older lines, both forms are looked for."""

RESTORE = """
UPDATE logbook.execution_logs l
SET data = r.data, dedup_key = CASE WHEN EXISTS (SELECT FROM logbook.execution_logs o WHERE o.dedup_key = r.key)
    THEN l.dedup_key ELSE r.key END
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(id text, data jsonb, key text) WHERE l.id = r.id
"""
"""Where both releases have written a line, one of the two has its key."""

_AT_ONCE = 1_000


def upgrade() -> None:
    op.execute("ALTER TABLE logbook.execution_logs ADD COLUMN IF NOT EXISTS packed bytea")
    op.execute("ALTER TABLE logbook.execution_logs DROP CONSTRAINT IF EXISTS execution_logs_pkey")
    op.execute(SHORTEN_RECENT_KEYS)


def downgrade() -> None:
    """Brings data and keys back into the form in which the release before reads them."""
    op.execute("ALTER TABLE logbook.execution_logs ADD CONSTRAINT execution_logs_pkey PRIMARY KEY (id)")
    _restore(op.get_bind())
    op.execute("ALTER TABLE logbook.execution_logs DROP COLUMN packed")


def _restore(connection: sa.Connection) -> None:
    query = sa.text("SELECT * FROM logbook.execution_logs WHERE packed IS NOT NULL OR length(dedup_key) = 22")
    lines = connection.execute(query, execution_options={"stream_results": True}).mappings()
    for some in lines.partitions(_AT_ONCE):
        rows = jsonio.dumps_for_database([_as_before(line) for line in some])
        connection.execute(sa.text(RESTORE), {"rows": rows})


def _as_before(line: Mapping[str, Any]) -> Mapping[str, Any]:
    data = line["data"] if line["packed"] is None else unpack(bytes(line["packed"]))
    return {"id": line["id"], "data": data, "key": _long_key(line, data or {})}


def _long_key(line: Mapping[str, Any], data: Mapping[str, Any]) -> str:
    """Returns the key by which the release before knows what it has written."""
    attempt = f"{data.get('stepIndex', 0)}:{data.get('iteration', 0)}:{data.get('attempt') or 1}"
    match line["event_type"]:
        case "TRIGGER":
            return f"trigger:{line['event_id']}"
        case "EXECUTION":
            key = f"execution:{line['execution_id']}:{line['status']}"
            return key if data.get("attempt") is None else f"{key}:{attempt}"
        case kind:
            return f"{str(kind).lower()}:{line['execution_id']}:{attempt}"
