"""/api/v1/dead-letters: messages that no worker could read."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Response, jsonify

from flowforge.executions import dead_letters
from webapp.api import query_params
from webapp.api.finding import size
from webapp.context import backends, session
from webapp.identity import current_user_id, signed_in

blueprint = Blueprint("dead_letters", __name__, url_prefix="/api/v1/dead-letters")


@blueprint.get("")
@signed_in
def list_page() -> Response:
    """List what could not be processed, newest first"""
    page = dead_letters.page_of(session(), current_user_id(), query_params.uuid("after"), size())
    return jsonify({"content": [dead_letters.letter_fields(row) for row in page.rows], "after": page.after})


@blueprint.post("/<uuid:letter_id>/retry")
@signed_in
def retry(letter_id: UUID) -> tuple[str, int]:
    """Put a message back on its topic"""
    dead_letters.send_again(session(), backends().bus, current_user_id(), letter_id)
    return "", 202


@blueprint.delete("/<uuid:letter_id>")
@signed_in
def discard(letter_id: UUID) -> tuple[str, int]:
    """Throw a message away"""
    dead_letters.discard(session(), current_user_id(), letter_id)
    return "", 204
