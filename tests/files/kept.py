"""Files that were kept outside of the payloads that name them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Engine, func, select

from flowforge.db.tables import FileRow
from flowforge.file_values import file_id
from flowforge.wiring import Backends


def content_of(backends: Backends, file: dict[str, Any], event_id: UUID) -> bytes:
    """The content of a file in the payload of an event."""
    id_ = file_id(file["id"])
    assert id_ is not None
    return b"".join(backends.files.of_event(id_, event_id).pieces())


def count_files(engine: Engine) -> int:
    with engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(FileRow)) or 0
