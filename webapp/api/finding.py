"""Looking through executions and workflows page by page: what the dashboard's lists show, as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from flask import Blueprint
from pydantic import Field

from flowforge.execution.state import Status
from flowforge.executions import search
from flowforge.executions.origins import Origin, find_origins
from flowforge.executions.search import Filter, Position
from flowforge.executions.views import ExecutionSummary
from flowforge.jsonio import JsonObject
from flowforge.workflows import listing
from flowforge.workflows import tags as operations
from flowforge.workflows.listing import Order, Sort, WorkflowFilter, WorkflowPage
from webapp.api import dashboard_schemas
from webapp.api.paging import SearchQuery
from webapp.context import session
from webapp.endpoint import Tag, endpoint, object_body
from webapp.identity import current_user_id
from webapp.query_params import Flag, FlagOrNone, InstantOrNone, OneOf, TextOrNone, UuidOrNone

blueprint = Blueprint("finding", __name__, url_prefix="/api/v1")


class ExecutionsQuery(SearchQuery):
    workflow_id: UuidOrNone = Field(None, description="Only this workflow's.")
    status: Annotated[Status | None, OneOf(Status)] = Field(None, description="Only these.")
    trigger_type: TextOrNone = Field(None, description="webhook, scheduler, email, manual, ...")
    text: str = Field("", description="Looked for in payload, error and id.")
    from_: InstantOrNone = Field(None, alias="from", description="Inclusive.")
    to: InstantOrNone = Field(None, description="Exclusive.")
    cursor: TextOrNone = Field(None, description="`newer` or `older` of the page before.")
    oldest_first: Flag = Field(False, description="`newer` leads on then.")

    @property
    def filter(self) -> Filter:
        return Filter(
            workflow_id=self.workflow_id,
            status=self.status,
            trigger_type=self.trigger_type,
            text=self.text,
            since=self.from_,
            until=self.to,
        )


class WorkflowsQuery(SearchQuery):
    text: str = Field("", description="Part of the name.")
    enabled: FlagOrNone = Field(None, description="Only those that are on, or off.")
    draft: FlagOrNone = Field(None, description="Only those that have never been published, or only the others.")
    tag: TextOrNone = Field(None, description="Only those with this tag.")
    folder: TextOrNone = Field(None, description="Only those in this folder, as in sales/leads, or in one within it.")
    sort: Annotated[Sort, OneOf(Sort)] = Field(Sort.CREATED, description="What they are ordered by.")
    descending: Flag = Field(True, description="The latest, or the end of the alphabet, first.")
    after: UuidOrNone = Field(None, description="The `after` of the page before.")

    @property
    def filter(self) -> WorkflowFilter:
        return WorkflowFilter(self.text, self.enabled, self.draft, self.tag, self.folder)

    @property
    def order(self) -> Order:
        return Order(self.sort, self.descending)


@dataclass(frozen=True, slots=True)
class ListedExecutions:
    """A page of executions, with what each came from, by its id."""

    rows: Sequence[ExecutionSummary]
    newer: Position | None
    older: Position | None
    searched_to: datetime | None
    origins: Mapping[str, Origin]


@dataclass(frozen=True, slots=True)
class Tags:
    tags: list[str]

    @classmethod
    def read(cls, raw: JsonObject) -> Self:
        """Raises Invalid."""
        return cls(operations.read(raw.get("tags")))


@blueprint.get("/executions/search")
@endpoint(Tag.EXECUTIONS, dashboard_schemas.ExecutionsFound, query=ExecutionsQuery)
def executions(query: ExecutionsQuery) -> ListedExecutions:
    """Find executions, newest first, page by page; payloads and outputs are left out"""
    who, position = (session(), current_user_id()), Position.parse(query.cursor) if query.cursor else None
    found = search.search(*who, query.filter, position, size=query.size, oldest_first=query.oldest_first)
    origins = {str(id_): origin for id_, origin in find_origins(*who, [row.id for row in found.rows]).items()}
    return ListedExecutions(found.rows, found.newer, found.older, found.searched_to, origins)


@blueprint.get("/workflows/search")
@endpoint(Tag.WORKFLOWS, dashboard_schemas.WorkflowsFound, query=WorkflowsQuery, refuses=(404,))
def workflows(query: WorkflowsQuery) -> WorkflowPage:
    """Find workflows by name and state, newest first, each with its recent runs"""
    return listing.search(session(), current_user_id(), query.filter, query.order, after=query.after, size=query.size)


@blueprint.put("/workflows/<uuid:workflow_id>/tags")
@endpoint(Tag.WORKFLOWS, dashboard_schemas.Tags, takes=object_body(dashboard_schemas.Tags, Tags.read))
def set_tags(workflow_id: UUID, body: Tags) -> Tags:
    """Replace a workflow's tags"""
    operations.replace(session(), current_user_id(), workflow_id, body.tags)
    return body
