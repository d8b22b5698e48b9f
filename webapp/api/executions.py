"""/api/v1/executions: list, get, cancel."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Response, jsonify, request

from flowforge.errors import Invalid
from flowforge.execution.state import Status
from flowforge.operations import executions
from flowforge.operations.executions import SORTABLE, attempt_fields, execution_fields
from webapp.api.paging import envelope, page_request
from webapp.context import backends, session
from webapp.identity import current_user_id, signed_in

blueprint = Blueprint("executions", __name__, url_prefix="/api/v1/executions")


@blueprint.get("")
@signed_in
def list_page() -> Response:
    """A page of the caller's executions; totals are counted up to 10,000"""
    asked = page_request(SORTABLE, "createdAt", strict=False)
    found = executions.find(
        session(),
        current_user_id(),
        workflow_id=_workflow_id(),
        status=_status(),
        page=asked.page,
        size=asked.size,
        sort=asked.sort,
        descending=asked.descending,
    )
    return jsonify(envelope(asked, [execution_fields(row) for row in found.rows], found.total))


@blueprint.get("/<uuid:execution_id>")
@signed_in
def show(execution_id: UUID) -> Response:
    """Get an execution with the attempts of its steps"""
    row = executions.get(session(), current_user_id(), execution_id)
    attempts = [attempt_fields(attempt) for attempt in executions.attempts(session(), row.id)]
    return jsonify(execution_fields(row) | {"attempts": attempts})


@blueprint.post("/<uuid:execution_id>/cancel")
@signed_in
def cancel(execution_id: UUID) -> Response:
    """Cancel an execution; one that is over stays as it is"""
    return jsonify(execution_fields(executions.cancel(session(), backends(), current_user_id(), execution_id)))


def _workflow_id() -> UUID | None:
    text = request.args.get("workflowId", "")
    try:
        return UUID(text) if text else None
    except ValueError as error:
        raise Invalid.at("/workflowId", "is not a UUID") from error


def _status() -> Status | None:
    text = request.args.get("status", "").upper()
    try:
        return Status(text) if text else None
    except ValueError as error:
        raise Invalid.at("/status", f"must be one of {', '.join(Status)}") from error
