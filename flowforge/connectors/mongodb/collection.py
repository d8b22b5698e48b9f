"""A collection of documents, asked and told in JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

from flowforge.connectors.database_values import keeping
from flowforge.connectors.errors import ConnectorError
from flowforge.connectors.files import FileAccess
from flowforge.connectors.mongodb.operators import WRITE, mentioned
from flowforge.connectors.mongodb.session import MongoSession
from flowforge.connectors.mongodb.values import readable, storable
from flowforge.jsonio import JsonObject


@dataclass(frozen=True, slots=True)
class Collection:
    """Its methods raise ConnectorError, which names the field of the config where that is to blame."""

    session: MongoSession
    name: str
    files: FileAccess

    def find(self, filter_: JsonObject, options: Mapping[str, Any]) -> AbstractContextManager[Iterator[JsonObject]]:
        """The documents, while they come; options of the command that are empty do not count."""
        given = {name: value for name, value in options.items() if value}
        return self._reading({"find": self.name, "filter": self._storable(filter_, "filter"), **given})

    def aggregate(self, pipeline: Sequence[JsonObject]) -> AbstractContextManager[Iterator[JsonObject]]:
        command = {"aggregate": self.name, "pipeline": self._storable(pipeline, "pipeline")}
        return self._reading(command, changes=mentioned(pipeline, WRITE) is not None)

    def count(self, filter_: JsonObject) -> int:
        stages = [{"$match": self._storable(filter_, "filter")}, {"$count": "count"}]
        with self._reading({"aggregate": self.name, "pipeline": stages}) as found:
            return int(next((document["count"] for document in found), 0))

    def insert(self, documents: Sequence[JsonObject]) -> list[Any]:
        """The ids of the documents."""
        ids = self.session.insert(self.name, self._storable(documents, "documents"))
        return [readable({"_id": id_}, keeping(self.files))["_id"] for id_ in ids]

    def update(self, filter_: JsonObject, change: JsonObject, *, many: bool) -> JsonObject:
        """How many documents were found (`count`) and `changed`."""
        q, u = self._storable(filter_, "filter"), self._storable(change, "update")
        return self.session.update(self.name, [{"q": q, "u": u, "multi": many}])

    def upsert(self, documents: Sequence[JsonObject], keys: Sequence[str]) -> JsonObject:
        """How many documents there are now (`count`), were `changed`, and `made`."""
        stored = self._storable(documents, "documents")
        return self.session.update(self.name, [_upserting(document, keys) for document in stored])

    def delete(self, filter_: JsonObject, *, many: bool) -> int:
        return self.session.delete(self.name, self._storable(filter_, "filter"), many=many)

    @contextmanager
    def _reading(self, command: JsonObject, *, changes: bool = False) -> Iterator[Iterator[JsonObject]]:
        keep = keeping(self.files)
        with self.session.reading(command, changes=changes) as documents:
            yield (readable(document, keep) for document in documents)

    def _storable(self, value: Any, field: str) -> Any:
        return storable(value, self.files, field)


def _upserting(document: JsonObject, keys: Sequence[str]) -> JsonObject:
    """An update in which no name and no value of the document is taken for an operator or a path."""
    absent = next((key for key in keys if document.get(key) is None), None)
    if absent is not None:
        raise ConnectorError(f"documents: one has no {absent!r}, which is among the keys", permanent=True)
    changed = {"$replaceWith": {"$mergeObjects": ["$$ROOT", {"$literal": document}]}}
    return {"q": {key: {"$eq": document[key]} for key in keys}, "u": [changed], "upsert": True}
