"""`/resume/{token}`: the links that resume a wait. A GET shows what it is about, only a POST resumes: programs that
look at links in mails must not approve anything."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Response, render_template, request
from flask_login import current_user

from flowforge import jsonio
from flowforge.errors import Conflict, Invalid, NotFound
from flowforge.executions import waits
from flowforge.executions.waits import OpenWait
from flowforge.jsonio import JsonObject
from flowforge.resume_links import WaitKey
from flowforge.sentences import sentence
from webapp.context import backends, session
from webapp.endpoint import ANY_BODY, HTML, Answer, Tag, endpoint
from webapp.intake.body import read_body
from webapp.intake.schemas import Resumed
from webapp.receiving.uploads import Uploads
from webapp.translation.texts import said_by

blueprint = Blueprint("resume", __name__)

_LONGEST_COMMENT = 2_000
_ANSWERS = {"true": True, "false": False}
"""A form sends text."""


@blueprint.get("/resume/<token>", strict_slashes=False)
@endpoint(
    Tag.WEBHOOKS,
    {
        200: Answer(None, "A page with buttons", HTML),
        404: Answer(None, "No such link", HTML),
        409: Answer(None, "Over", HTML),
    },
    public=True,
)
def show(token: str) -> tuple[str, int]:
    """Show a wait, with buttons to answer it"""
    try:
        wait = waits.find(session(), _read_token(token))
    except (Conflict, NotFound) as error:
        return render_template("resume/over.html", reason=said_by(error)), 409 if isinstance(error, Conflict) else 404
    wanted = "approve" if "approve" in request.args else "reject" if "reject" in request.args else None
    return render_template("resume/wait.html", wait=wait, wanted=wanted), 200


@blueprint.post("/resume/<token>", strict_slashes=False)
@endpoint(Tag.WEBHOOKS, Resumed, takes=ANY_BODY, refuses=(409,), public=True)
def resume(token: str) -> Response:
    """Resume a wait: the body becomes the step's output; for a person it holds `approved`, true or false"""
    key = _read_token(token)
    wait = waits.find(session(), key)
    uploads = Uploads(lambda: waits.owner_of(session(), key), holder=key.execution_id)
    body = read_body(uploads)
    waits.resume(session(), backends().bus, key, output_of(wait, body))
    if "text/html" in request.headers.get("Accept", ""):
        return Response(render_template("resume/done.html", wait=wait, output=body), mimetype=HTML)
    return Response(jsonio.dumps({"success": True}), mimetype="application/json")


def output_of(wait: OpenWait, body: Any) -> JsonObject:
    """Build the output of the waiting step from the answer. Raises Invalid."""
    at = {"resumedAt": datetime.now(UTC)}
    if wait.kind == "resume":
        return {**at, "body": body}
    answer = body if isinstance(body, dict) else {}
    approved = _ANSWERS.get(str(answer.get("approved")).lower())
    if approved is None:
        raise Invalid.at("/approved", sentence("must be true or false"))
    comment = answer.get("comment") or None
    if comment is not None and not (isinstance(comment, str) and len(comment) <= _LONGEST_COMMENT):
        raise Invalid.at("/comment", sentence("must be text of at most %(most)s characters", most=_LONGEST_COMMENT))
    return {**at, "approved": approved, "comment": comment, "by": _viewer_name()}


def _viewer_name() -> str | None:
    """None for whoever just has the link."""
    return current_user.username if current_user.is_authenticated else None


def _read_token(token: str) -> WaitKey:
    key = backends().resume_links.read(token)
    if key is None:
        raise NotFound(sentence("there is no such link"))
    return key
