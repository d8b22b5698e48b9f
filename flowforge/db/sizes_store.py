"""Sizes of stored JSON, estimated without reading it."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from flowforge import jsonio
from flowforge.db.attempt_rows import AttemptKey

_COMPRESSION = 50
"""Bytes of JSON that a byte of compressed JSON stands for, taken high: what repeats itself is compressed 100 times."""


def _estimate(*columns: str) -> str:
    sizes = (
        f"COALESCE(pg_column_size({column})"
        f" * CASE WHEN pg_column_compression({column}) IS NULL THEN 1 ELSE {_COMPRESSION} END, 0)"
        for column in columns
    )
    return " + ".join(sizes)


MOST_BYTES = 4 * 1024 * 1024
"""JSON that one transaction loads of several executions. One of them may have more of its own."""
DATA_SIZE = _estimate("x.trigger_payload", "x.step_outputs")
"""Estimated bytes of the data of `workflow_executions x`."""
LOADED_SIZE = f"CASE WHEN x.in_block THEN 0 ELSE {DATA_SIZE} END"
"""Estimated bytes that locking `workflow_executions x` for a decision loads."""
ATTEMPT_SIZE = f"{_estimate('a.output')} + {LOADED_SIZE}"
"""Estimated bytes that applying the result of `step_attempts a` loads."""
EVENT_SIZE = _estimate("e.payload")
"""Estimated bytes of the payload of `trigger_events e`."""


def large_frames(connection: Connection, keys: Sequence[AttemptKey], most_bytes: int) -> dict[AttemptKey, int]:
    """Returns the attempts inside blocks whose steps see more than so many bytes, and how many these are."""
    rows = connection.exec_driver_sql(
        f"""
        SELECT * FROM (
            SELECT k.*, {_estimate("f.item", "f.outputs", "b.closure")} AS size
            FROM jsonb_to_recordset(%(keys)s::jsonb) AS k(
                execution_id uuid, step_index int, iteration int, attempt int)
            JOIN orchestrator.step_frames f ON f.execution_id = k.execution_id AND f.number = k.iteration
            JOIN orchestrator.open_blocks b
                ON b.execution_id = f.execution_id AND b.frame = f.block_frame AND b.step_index = f.block_step
        ) sized WHERE size > %(most)s
        """,  # noqa: S608  (names of columns)
        {"keys": jsonio.dumps(keys).decode(), "most": most_bytes},
    )
    return {AttemptKey(*key): size for *key, size in rows}
