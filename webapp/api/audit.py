"""/api/v1/audit-log: who did what to what, when, and from where."""

from __future__ import annotations

from typing import Annotated

from flask import Blueprint, Response, stream_with_context
from pydantic import Field

from flowforge.accounts.scopes import Scope
from flowforge.audit import search
from flowforge.audit.actions import Action
from flowforge.audit.export import MOST_EXPORTED, Format, export
from flowforge.audit.recording import record
from flowforge.audit.search import AuditPage, Filter
from webapp.api import audit_schemas
from webapp.api.paging import SearchQuery
from webapp.caching import never_store
from webapp.context import session
from webapp.endpoint import Answer, Tag, endpoint
from webapp.identity import current_user_id
from webapp.query_params import InstantOrNone, OneOf, Query, UuidOrNone

MEDIA_TYPES = {Format.CSV: "text/csv", Format.JSONL: "application/jsonl"}
_EXPORTED = f"The newest {MOST_EXPORTED:,} entries, newest first"

blueprint = Blueprint("audit", __name__, url_prefix="/api/v1")
blueprint.after_request(never_store)


class FilterQuery(Query):
    account_id: UuidOrNone = Field(None, description="Only what this account did, and what concerns it.")
    action: Annotated[Action | None, OneOf(Action)] = Field(None, description="Only these.")
    from_: InstantOrNone = Field(None, alias="from", description="Inclusive.")
    to: InstantOrNone = Field(None, description="Exclusive.")

    @property
    def filter(self) -> Filter:
        """Returns the filter that leaves what the caller may see. Raises Forbidden."""
        wanted = Filter(self.account_id, self.action, self.from_, self.to)
        return search.seen_by(session(), current_user_id(), wanted)


class PageQuery(FilterQuery, SearchQuery):
    after: UuidOrNone = Field(None, description="The `after` of the page before.")


@blueprint.get("/audit-log")
@endpoint(Tag.ACCOUNTS, audit_schemas.AuditPage, query=PageQuery, refuses=(403,), scope=Scope.ADMIN)
def find_page(query: PageQuery) -> AuditPage:
    """Find who did what, newest first: administrators everything, others what concerns their own account"""
    return search.find_page(session(), query.filter, query.after, query.size)


@blueprint.get("/audit-log.csv")
@endpoint(
    Tag.ACCOUNTS,
    {200: Answer(None, _EXPORTED, MEDIA_TYPES[Format.CSV])},
    query=FilterQuery,
    refuses=(403,),
    scope=Scope.ADMIN,
)
def export_csv(query: FilterQuery) -> Response:
    """Export the audit log as CSV"""
    return _download(query.filter, Format.CSV)


@blueprint.get("/audit-log.jsonl")
@endpoint(
    Tag.ACCOUNTS,
    {200: Answer(None, _EXPORTED, MEDIA_TYPES[Format.JSONL])},
    query=FilterQuery,
    refuses=(403,),
    scope=Scope.ADMIN,
)
def export_jsonl(query: FilterQuery) -> Response:
    """Export the audit log as JSON lines"""
    return _download(query.filter, Format.JSONL)


def _download(wanted: Filter, form: Format) -> Response:
    """An answer that is sent while it is written."""
    record(session(), Action.AUDIT_LOG_EXPORTED, format=form)
    session().commit()
    lines = stream_with_context(export(session(), wanted, form))
    name = f'attachment; filename="audit-log.{form}"'
    return Response(lines, mimetype=MEDIA_TYPES[form], headers={"Content-Disposition": name})
