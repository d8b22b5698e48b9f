"""/api/v1/logs (contract.md, section 5)."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from flask import Blueprint, Response, jsonify, request

from flowforge.errors import Invalid
from flowforge.live import entry_fields
from flowforge.logbook import LogQuery
from webapp.api import query_params
from webapp.api.paging import envelope, page_request
from webapp.context import backends
from webapp.identity import current_user_id, signed_in

blueprint = Blueprint("logs", __name__, url_prefix="/api/v1/logs")


@blueprint.get("")
@signed_in
def list_page() -> Response:
    """A page of the caller's log; totals are counted up to 10,000, data are left out above 8 MB"""
    return _page(
        LogQuery(
            user_id=current_user_id(),
            execution_id=query_params.uuid("executionId"),
            event_id=query_params.uuid("eventId"),
            workflow_id=query_params.uuid("workflowId"),
            event_type=_text("eventType"),
            status=_text("status"),
            start=query_params.instant("from"),
            end=query_params.instant("to"),
        )
    )


@blueprint.get("/executions/<uuid:execution_id>")
@signed_in
def of_execution(execution_id: UUID) -> Response:
    """The log of one execution"""
    return _page(replace(LogQuery(current_user_id()), execution_id=execution_id))


@blueprint.get("/workflows/<uuid:workflow_id>")
@signed_in
def of_workflow(workflow_id: UUID) -> Response:
    """The log of one workflow"""
    return _page(replace(LogQuery(current_user_id()), workflow_id=workflow_id))


def _page(query: LogQuery) -> Response:
    asked = page_request({"timestamp"}, "timestamp", strict=True)
    found = backends().logbook.find(query, page=asked.page, size=asked.size, newest_first=asked.descending)
    content = [entry_fields(entry) | {"truncated": entry.id in found.truncated} for entry in found.entries]
    return jsonify(envelope(asked, content, found.total))


def _text(name: str) -> str | None:
    text = request.args.get(name, "")
    if not text.isprintable():
        raise Invalid.at(f"/{name}", "must be printable characters")
    return text or None
