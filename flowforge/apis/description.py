"""The description of an API: what it says of itself, and the operations it has."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from flowforge.apis.document import write_document
from flowforge.apis.operation import Operation, Unusable
from flowforge.apis.recent import Recent
from flowforge.apis.servers import Server
from flowforge.apis.sign_ins import SignIn
from flowforge.errors import NotFound
from flowforge.jsonio import JsonObject
from flowforge.sentences import sentence

_MOST_OPERATIONS_KEPT = 200


@dataclass(frozen=True, slots=True)
class OperationEntry:
    """An operation as lists show it: it is made without looking at parameters and schemas."""

    id: str
    """Stable, unique in its description, at most 80 characters of `A-Za-z0-9_.-`: the name steps have for it. It comes
    from the file's `operationId`, or from method and path."""
    method: str
    """In capital letters."""
    path: str
    title: str
    """One line of at most 120 characters."""
    tag: str
    """The group it belongs to."""
    summary: str = ""
    deprecated: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """What cannot be used of a description, and why; the rest can."""

    subject: str
    """`GET /pets`, a path, or the address of another document."""
    reason: str
    operation: str | None = None
    """The id of the operation that cannot be used; None where it is no operation of the list."""


@dataclass(frozen=True, slots=True, eq=False)
class Description:
    """A description that has been read. Its operations are resolved one by one, when they are asked for."""

    title: str
    version: str
    format: str
    """`OpenAPI 3.1.0`, `OpenAPI 2.0`, `Google Discovery`."""
    summary: str
    servers: Sequence[Server]
    sign_ins: Mapping[str, SignIn]
    entries: Sequence[OperationEntry]
    """In the order of the file."""
    resolvers: Mapping[str, Callable[[], Operation]] = field(repr=False)
    """Each operation by its id, to be resolved; they raise Unusable."""
    refused_parts: Sequence[Refused]
    """What could not even be listed."""
    document: JsonObject = field(repr=False)
    _kept: Recent = field(default_factory=lambda: Recent(_MOST_OPERATIONS_KEPT), repr=False)

    def operation(self, id_: str) -> Operation:
        """Raises NotFound for an unknown id, Unusable for an operation that cannot be used."""
        if id_ not in self.resolvers:
            raise NotFound(sentence("%(title)s has no operation %(id)s", title=self.title, id=id_[:100]))
        return self._kept.get(id_, self.resolvers[id_])

    def refused(self) -> list[Refused]:
        """All that cannot be used. Looks at every operation: about a second for a large file."""
        refused = list(self.refused_parts)
        for entry in self.entries:
            try:
                self.resolvers[entry.id]()
            except Unusable as error:
                refused.append(Refused(f"{entry.method} {entry.path}", str(error), entry.id))
        return refused

    def as_json(self) -> bytes:
        """The file as JSON, with the external documents that were fetched: what to keep, since it is read fastest."""
        return write_document(self.document)
