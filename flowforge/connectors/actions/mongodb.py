"""MONGODB: find, count, change and aggregate documents."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, model_validator

from flowforge.connectors.connection_kinds.mongodb import MONGODB
from flowforge.connectors.mongodb.operators import RUN_CODE, WRITE, mentioned, problem_of_data
from flowforge.connectors.sdk import (
    MOST_ROWS,
    ConnectorConfig,
    FileAccess,
    Guarded,
    Polls,
    StepContext,
    as_file,
    chosen_by,
    connector,
    field,
    joined,
    listed,
    listing,
)
from flowforge.jsonio import JsonObject
from flowforge.sentences import sentence

if TYPE_CHECKING:
    from flowforge.connectors.mongodb.collection import Collection

Operation = Literal["find", "first", "count", "aggregate", "insert", "update", "upsert", "delete"]
Query = Annotated[JsonObject, Guarded(problem_of_data)]
"""An object of operators and values, of which data give the values."""
_READS = ("find", "first", "count", "aggregate")
_REPEATABLE = (*_READS, "upsert")


class Config(ConnectorConfig):
    model_config = ConfigDict(json_schema_extra=chosen_by("operation"))

    operation: Operation = field(
        "find",
        title="Operation",
        description="find: documents; first: one, or null; count: how many; upsert: documents are changed where their"
        " keys are there, and made where they are not.",
    )
    collection: str = field(title="Collection", max_length=255)
    filter: Query = field(
        default_factory=dict,
        title="Filter",
        description='As MongoDB takes it: {"total": {"$gt": 100}}. Ids and dates are {"$oid": "…"} and {"$date": "…"}.',
        only_for=("find", "first", "count", "update", "delete"),
    )
    projection: Query = field(
        default_factory=dict,
        title="Fields",
        description='For find and first: {"name": 1, "total": 1}.',
        only_for=("find", "first"),
    )
    sort: JsonObject = field(
        default_factory=dict, title="Sort", description='For find and first: {"total": -1}.', only_for=("find", "first")
    )
    skip: int = field(
        0, title="Skip", description="For find: leaves out the first so many.", ge=0, lt=2**31, only_for=("find",)
    )
    limit: int | None = field(
        None, title="Limit", description="For find: gives so many at most.", ge=1, lt=2**31, only_for=("find",)
    )
    pipeline: Annotated[list[JsonObject], BeforeValidator(listed), Guarded(problem_of_data)] = field(
        default_factory=list,
        title="Pipeline",
        description="For aggregate: its stages.",
        max_length=1_000,
        only_for=("aggregate",),
    )
    documents: Annotated[list[JsonObject], BeforeValidator(listed)] = field(
        default_factory=list,
        title="Documents",
        description="For insert and upsert.",
        max_length=MOST_ROWS,
        required_for=("insert", "upsert"),
    )
    keys: Annotated[list[str], BeforeValidator(listed)] = field(
        default_factory=list,
        title="Keys",
        description="For upsert: the fields by which a document is found.",
        max_length=100,
        required_for=("upsert",),
    )
    update: Query = field(
        default_factory=dict,
        title="Update",
        description='For update: {"$set": {"paid": true}, "$inc": {"n": 1}}.',
        required_for=("update",),
    )
    many: bool = field(
        False,
        title="All that match",
        description="For update and delete; otherwise the first that is found.",
        only_for=("update", "delete"),
    )
    result: Literal["documents", "file"] = field(
        "documents",
        title="Result",
        description="file: any number, as one file with a line of JSON for each.",
        only_for=("find", "aggregate"),
        group="Result",
    )
    most_documents: int = field(
        1_000,
        title="Maximum documents",
        description="More rows are an error.",
        ge=1,
        le=MOST_ROWS,
        only_for=("find", "aggregate"),
        group="Result",
    )
    allow_code: bool = field(
        False,
        title="Allow code",
        description="$where, $function and $accumulator, which run JavaScript on the server.",
        group="Options",
    )
    allow_writing: bool = field(
        False,
        title="Allow stages that write",
        description="$out and $merge in a pipeline.",
        group="Options",
        only_for=("aggregate",),
    )

    @model_validator(mode="after")
    def _require_what_the_operation_needs(self) -> Config:
        required = _REQUIRED.get(self.operation, ())
        missing = next((name for name in required if not getattr(self, name)), None)
        if missing is not None:
            raise ValueError(
                sentence("%(missing)s is required for %(operation)s", missing=missing, operation=self.operation)
            )
        plain = next((name for name in self.update if not name.startswith("$")), None)
        if plain is not None:
            raise ValueError(
                sentence('update: %(plain)s is no operator; to change fields write {"$set": {…}}', plain=repr(plain))
            )
        return self

    @model_validator(mode="after")
    def _refuse_what_is_not_allowed(self) -> Config:
        for name in ("filter", "projection", "pipeline", "update"):
            code = None if self.allow_code else mentioned(getattr(self, name), RUN_CODE)
            if code is not None:
                raise ValueError(
                    sentence(
                        "%(name)s: %(code)s runs code on the server; allowCode says that it may", name=name, code=code
                    )
                )
        stage = None if self.allow_writing else mentioned(self.pipeline, WRITE)
        if stage is not None:
            raise ValueError(
                sentence("pipeline: %(stage)s writes to a collection; allowWriting says that it may", stage=stage)
            )
        return self


_REQUIRED: Mapping[str, Sequence[str]] = {
    "insert": ("documents",),
    "update": ("filter", "update"),
    "upsert": ("documents", "keys"),
    "delete": ("filter",),
}


_OF_OTHER_OPERATIONS = ("pipeline", "documents", "keys", "update", "many", "allowWriting")


def _is_repeatable(config: Mapping[str, Any]) -> bool:
    return config.get("operation", "find") in _REPEATABLE and not config.get("allowWriting")


@connector(
    "MONGODB",
    Config,
    title="MongoDB",
    help="Finds, counts, changes and aggregates documents.",
    icon="table",
    keywords=("mongodb", "mongo", "atlas", "database", "documents", "find", "aggregate", "insert"),
    summary=joined("operation", "collection"),
    repeatable=_is_repeatable,
    connections=(MONGODB,),
    polls=Polls(
        "New document in MongoDB",
        "When a document is added to a collection",
        items="documents",
        item_id="_id",
        fixed={"operation": "find", "result": "documents", **dict.fromkeys(_OF_OTHER_OPERATIONS)},
        sample={"_id": "64f0c0ffee", "customer": "Ada", "total": 12.5},
    ),
)
def mongodb(config: Config, context: StepContext) -> JsonObject:
    from flowforge.connectors.mongodb.collection import Collection

    with context.open_connection() as session:
        return _RUN[config.operation](config, Collection(session, config.collection, context.files))


def _find(config: Config, collection: Collection) -> JsonObject:
    options = {"projection": config.projection, "sort": config.sort, "skip": config.skip, "limit": config.limit}
    with collection.find(config.filter, options) as documents:
        return _given(config, documents, collection.files)


def _first(config: Config, collection: Collection) -> JsonObject:
    options = {"projection": config.projection, "sort": config.sort, "limit": 1, "singleBatch": True}
    with collection.find(config.filter, options) as documents:
        return {"document": next(documents, None)}


def _aggregate(config: Config, collection: Collection) -> JsonObject:
    with collection.aggregate(config.pipeline) as documents:
        return _given(config, documents, collection.files)


def _insert(config: Config, collection: Collection) -> JsonObject:
    ids = collection.insert(config.documents)
    return {"count": len(ids), "ids": ids}


_RUN: Mapping[Operation, Callable[[Config, Collection], JsonObject]] = {
    "find": _find,
    "first": _first,
    "count": lambda config, collection: {"count": collection.count(config.filter)},
    "aggregate": _aggregate,
    "insert": _insert,
    "update": lambda config, collection: collection.update(config.filter, config.update, many=config.many),
    "upsert": lambda config, collection: collection.upsert(config.documents, config.keys),
    "delete": lambda config, collection: {"count": collection.delete(config.filter, many=config.many)},
}


def _given(config: Config, documents: Iterator[JsonObject], files: FileAccess) -> JsonObject:
    if config.result == "file":
        return as_file(documents, files, "documents")
    return listing(documents, config.most_documents, "documents")
