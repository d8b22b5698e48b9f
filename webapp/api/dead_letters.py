"""/api/v1/dead-letters: messages that no worker could read."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint
from pydantic import Field

from flowforge.accounts.scopes import Scope
from flowforge.executions import dead_letters
from flowforge.executions.dead_letters import DeadLetterPage
from webapp.api import dashboard_schemas
from webapp.api.paging import SearchQuery
from webapp.context import backends, session
from webapp.endpoint import DELETED, Answer, Tag, endpoint
from webapp.identity import current_user_id
from webapp.query_params import UuidOrNone

blueprint = Blueprint("dead_letters", __name__, url_prefix="/api/v1/dead-letters")


class LettersQuery(SearchQuery):
    after: UuidOrNone = Field(None, description="The `after` of the page before.")


@blueprint.get("")
@endpoint(Tag.DEAD_LETTERS, dashboard_schemas.DeadLetters, query=LettersQuery, refuses=(404,))
def list_page(query: LettersQuery) -> DeadLetterPage:
    """List what could not be processed, newest first"""
    return dead_letters.page_of(session(), current_user_id(), query.after, query.size)


@blueprint.post("/<uuid:letter_id>/retry")
@endpoint(Tag.DEAD_LETTERS, {202: Answer(None, "Sent again", None)}, refuses=(409,), scope=Scope.RUN)
def retry(letter_id: UUID) -> None:
    """Put a message back on its topic"""
    dead_letters.send_again(session(), backends().bus, current_user_id(), letter_id)


@blueprint.delete("/<uuid:letter_id>")
@endpoint(Tag.DEAD_LETTERS, DELETED)
def discard(letter_id: UUID) -> None:
    """Throw a message away"""
    dead_letters.discard(session(), current_user_id(), letter_id)
