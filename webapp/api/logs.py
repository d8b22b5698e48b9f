"""/api/v1/logs (contract.md, section 5)."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Annotated
from uuid import UUID

from flask import Blueprint
from pydantic import AfterValidator, Field, WithJsonSchema

from flowforge.logbook import LogEntry, LogQuery
from webapp.api import schemas
from webapp.api.paging import Envelope, Sort, SortableBy, StrictPageQuery
from webapp.context import backends
from webapp.endpoint import Tag, endpoint
from webapp.identity import current_user_id
from webapp.query_params import InstantOrNone, UuidOrNone

blueprint = Blueprint("logs", __name__, url_prefix="/api/v1/logs")

_SORTABLE = SortableBy(("timestamp",))


def _printable(text: str | None) -> str | None:
    if text is not None and not text.isprintable():
        raise ValueError("must be printable characters")
    return text


Word = Annotated[str | None, AfterValidator(_printable), WithJsonSchema({"type": "string"})]


@dataclass(frozen=True, slots=True)
class ListedEntry(LogEntry):
    truncated: bool
    """Whether the data of the line were left out."""

    @classmethod
    def of(cls, entry: LogEntry, *, truncated: bool) -> ListedEntry:
        return cls(**{field.name: getattr(entry, field.name) for field in fields(LogEntry)}, truncated=truncated)


class PageOfLog(StrictPageQuery):
    sort: Annotated[Sort, _SORTABLE] = Field(default_factory=_SORTABLE.default)


class LogsQuery(PageOfLog):
    execution_id: UuidOrNone = None
    event_id: UuidOrNone = None
    workflow_id: UuidOrNone = None
    event_type: Word = Field(None, description="TRIGGER, RESULT, ...")
    status: Word = Field(None, description="FIRED, SUCCESS, FAILURE, ...")
    from_: InstantOrNone = Field(None, alias="from", description="Inclusive.")
    to: InstantOrNone = Field(None, description="Inclusive.")


@blueprint.get("")
@endpoint(Tag.LOGS, schemas.LogPage, query=LogsQuery)
def list_page(query: LogsQuery) -> Envelope:
    """A page of the caller's log; totals are counted up to 10,000, data are left out above 8 MB"""
    wanted = LogQuery(
        user_id=current_user_id(),
        execution_id=query.execution_id,
        event_id=query.event_id,
        workflow_id=query.workflow_id,
        event_type=query.event_type,
        status=query.status,
        start=query.from_,
        end=query.to,
    )
    return _page(wanted, query)


@blueprint.get("/executions/<uuid:execution_id>")
@endpoint(Tag.LOGS, schemas.LogPage, query=PageOfLog)
def of_execution(execution_id: UUID, query: PageOfLog) -> Envelope:
    """The log of one execution"""
    return _page(replace(LogQuery(current_user_id()), execution_id=execution_id), query)


@blueprint.get("/workflows/<uuid:workflow_id>")
@endpoint(Tag.LOGS, schemas.LogPage, query=PageOfLog)
def of_workflow(workflow_id: UUID, query: PageOfLog) -> Envelope:
    """The log of one workflow"""
    return _page(replace(LogQuery(current_user_id()), workflow_id=workflow_id), query)


def _page(wanted: LogQuery, query: PageOfLog) -> Envelope:
    found = backends().logbook.find(wanted, page=query.page, size=query.size, newest_first=query.sort.descending)
    content = [ListedEntry.of(entry, truncated=entry.id in found.truncated) for entry in found.entries]
    return Envelope(content, query.page, query.size, found.total)
