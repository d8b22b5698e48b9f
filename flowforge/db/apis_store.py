"""The APIs of an account, as steps look them up: a statement each, and the file of a version, compressed."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection, func, select
from sqlalchemy.sql.elements import ColumnElement

from flowforge.db.tables import ApiRow, ApiVersionRow


@dataclass(frozen=True, slots=True)
class FoundVersion:
    """A version of an API. `sha256`: of its file."""

    id: UUID
    sha256: str
    title: str


def find_version(connection: Connection, user_id: UUID, name: str, sha256: str) -> FoundVersion | None:
    """The version whose digest begins with `sha256`; where that is empty, the one for new steps."""
    found = (
        select(ApiVersionRow.id, ApiVersionRow.sha256, ApiVersionRow.title)
        .join(ApiRow, ApiRow.id == ApiVersionRow.api_id)
        .where(ApiRow.user_id == user_id, ApiRow.name == name, _is_wanted(sha256))
    )
    row = connection.execute(found.order_by(ApiVersionRow.created_at.desc()).limit(1)).first()
    return FoundVersion(*row) if row else None


def titles(connection: Connection, user_id: UUID) -> dict[str, str]:
    """The titles of an account's APIs, by name."""
    mine = select(ApiRow.name, ApiVersionRow.title).join(ApiVersionRow, ApiVersionRow.id == ApiRow.version_id)
    rows = connection.execute(mine.where(ApiRow.user_id == user_id).order_by(ApiRow.name))
    return {row[0]: row[1] for row in rows}


def versions(connection: Connection, user_id: UUID, name: str) -> list[tuple[str, str]]:
    """Digest and number of an API's versions, newest first."""
    every = select(ApiVersionRow.sha256, ApiVersionRow.number).join(ApiRow, ApiRow.id == ApiVersionRow.api_id)
    mine = every.where(ApiRow.user_id == user_id, ApiRow.name == name)
    return [(row[0], row[1]) for row in connection.execute(mine.order_by(ApiVersionRow.created_at.desc()))]


def read_file(connection: Connection, version_id: UUID) -> tuple[bytes, str] | None:
    """The file of a version and its address; None where it was deleted."""
    wanted = select(ApiVersionRow.content, ApiVersionRow.address).where(ApiVersionRow.id == version_id)
    row = connection.execute(wanted).first()
    return None if row is None else (zlib.decompress(row[0]), row[1])


def compressed(file: bytes) -> bytes:
    """The file as the table keeps it."""
    return zlib.compress(file, 6)


def _is_wanted(sha256: str) -> ColumnElement[bool]:
    if not sha256:
        return ApiVersionRow.id == ApiRow.version_id
    return func.starts_with(ApiVersionRow.sha256, sha256)
