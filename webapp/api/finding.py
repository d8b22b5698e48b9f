"""Looking through executions and workflows page by page: what the dashboard's lists show, as JSON."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, jsonify, request

from flowforge.db.tables import ExecutionRow
from flowforge.execution.state import Status
from flowforge.executions import search
from flowforge.executions.search import Filter, Position
from flowforge.workflows import listing, tags
from webapp.api import query_params
from webapp.body import json_object
from webapp.context import session
from webapp.identity import current_user_id, signed_in

MAX_SIZE = 100

blueprint = Blueprint("finding", __name__, url_prefix="/api/v1")


@blueprint.get("/executions/search")
@signed_in
def executions() -> Response:
    """Find executions, newest first, page by page; payloads and outputs are left out"""
    cursor = request.args.get("cursor")
    found = search.search(
        session(), current_user_id(), _filter(), Position.parse(cursor) if cursor else None, size=size()
    )
    return jsonify(
        {
            "content": [execution_fields(row) for row in found.rows],
            "newer": str(found.newer) if found.newer else None,
            "older": str(found.older) if found.older else None,
            "searchedTo": found.searched_to,
        }
    )


@blueprint.get("/workflows/search")
@signed_in
def workflows() -> Response:
    """Find workflows by name and state, newest first, each with its recent runs"""
    page = listing.search(
        session(),
        current_user_id(),
        text=request.args.get("text", ""),
        enabled=query_params.flag("enabled") if request.args.get("enabled") else None,
        tag=request.args.get("tag"),
        after=query_params.uuid("after"),
        size=size(),
    )
    return jsonify({"content": [listing.listed_fields(row) for row in page.rows], "after": page.after})


@blueprint.put("/workflows/<uuid:workflow_id>/tags")
@signed_in
def set_tags(workflow_id: UUID) -> Response:
    """Replace a workflow's tags"""
    return jsonify({"tags": tags.replace(session(), current_user_id(), workflow_id, json_object().get("tags"))})


def _filter() -> Filter:
    return Filter(
        workflow_id=query_params.uuid("workflowId"),
        status=query_params.one_of(Status, "status"),
        trigger_type=request.args.get("triggerType") or None,
        text=request.args.get("text", ""),
        since=query_params.instant("from"),
        until=query_params.instant("to"),
    )


def execution_fields(row: ExecutionRow) -> dict[str, Any]:
    """An execution without its data."""
    return {
        "id": row.id,
        "workflowId": row.workflow_id,
        "status": row.status,
        "error": row.error,
        "triggerType": row.trigger_type,
        "createdAt": row.created_at,
        "finishedAt": row.finished_at,
    }


def size() -> int:
    """Of a page that is asked for."""
    return max(1, min(request.args.get("size", 25, type=int), MAX_SIZE))
