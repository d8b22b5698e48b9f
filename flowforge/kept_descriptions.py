"""Descriptions of the APIs that accounts have added: read from the database, and held parsed by their version."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from uuid import UUID

from flowforge.apis.description import Description
from flowforge.apis.reading import read_description
from flowforge.connectors.errors import ConnectorError
from flowforge.db import apis_store
from flowforge.db.engine import Connection
from flowforge.errors import NotFound
from flowforge.language.evaluation.names import hint, quoted
from flowforge.sentences import sentence

MOST_BYTES = 16 * 1024 * 1024
"""The files that a process holds parsed together; objects take about eight times as much memory. One is always held."""
DIGEST = "sha256:"
_SHORTEST, _SHOWN = 8, 12
Connect = Callable[[], AbstractContextManager[Connection]]


def version_name(sha256: str) -> str:
    """The name by which steps call a version: the same wherever the same file is kept."""
    return f"{DIGEST}{sha256[:_SHOWN]}"


@dataclass(frozen=True, slots=True)
class _Held:
    description: Description
    size: int
    """Bytes of its file."""


class DescriptionCache:
    """Parsed descriptions by the id of their version, which never changes. Safe to share between threads."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._held: OrderedDict[UUID, _Held] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, version_id: UUID, load: Callable[[], tuple[bytes, str]]) -> Description:
        """The description, read where it is not held; one at a time, since a large one takes memory and a second.
        `load` gives its file and address."""
        with self._lock:
            if version_id not in self._held:
                file, address = load()
                self._held[version_id] = _Held(read_description(file, address), len(file))
                self._make_room()
            self._held.move_to_end(version_id)
            return self._held[version_id].description

    def _make_room(self) -> None:
        while len(self._held) > 1 and sum(held.size for held in self._held.values()) > self._most_bytes:
            self._held.popitem(last=False)


CACHE = DescriptionCache(MOST_BYTES)
"""Of this process."""


@dataclass(frozen=True, slots=True)
class KeptApi:
    """One version of an account's API."""

    id: UUID
    name: str
    title: str
    version: str
    connect: Connect

    @property
    def description(self) -> Description:
        """Raises ConnectorError where it was deleted meanwhile."""
        return CACHE.get(self.id, self._load)

    def _load(self) -> tuple[bytes, str]:
        with self.connect() as connection:
            file = apis_store.read_file(connection, self.id)
        if file is None:
            raise ConnectorError(f"the API {quoted(self.name)} was deleted", permanent=True)
        return file


@dataclass(frozen=True, slots=True)
class AccountApis:
    """The APIs of one account."""

    connect: Connect
    user_id: UUID

    def titles(self) -> Mapping[str, str]:
        with self.connect() as connection:
            return apis_store.titles(connection, self.user_id)

    def versions(self, name: str) -> Sequence[tuple[str, str]]:
        with self.connect() as connection:
            rows = apis_store.versions(connection, self.user_id, name)
        return [(version_name(sha256), number) for sha256, number in rows]

    def find(self, name: str, version: str = "") -> KeptApi:
        """One statement. Raises NotFound."""
        digest = version.removeprefix(DIGEST)
        with self.connect() as connection:
            found = None
            if not version or (version.startswith(DIGEST) and len(digest) >= _SHORTEST):
                found = apis_store.find_version(connection, self.user_id, name, digest)
            if found is None:
                raise NotFound(self._why_not(connection, name, version))
        return KeptApi(found.id, name, found.title, version_name(found.sha256), self.connect)

    def _why_not(self, connection: Connection, name: str, version: str) -> str:
        names = list(apis_store.titles(connection, self.user_id))
        if name in names:
            return sentence("the API %(name)s has no version %(version)s", name=quoted(name), version=quoted(version))
        return sentence("there is no API %(name)s%(hint)s", name=quoted(name), hint=hint(name, names))
