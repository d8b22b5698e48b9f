"""The test URL of a workflow, `/webhook-test/{token}`: a call to it runs the draft, while somebody listens.

It is taken as the webhook itself takes calls: by the same methods, from the same addresses, with the same proof.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from uuid import UUID

from flask import Blueprint, Response, request

from flowforge.errors import Conflict, NotFound
from flowforge.triggers.webhooks.authentication import Handshake
from flowforge.triggers.webhooks.hook import read_hook
from flowforge.workflows.draft_calls import EVENT, EXECUTION, PATH, DraftHook, TestCall
from webapp.context import backends, session
from webapp.endpoint import ANY_BODY, Answer, Tag, endpoint
from webapp.intake import calls, schemas
from webapp.intake.body import announced_bytes
from webapp.intake.body_budget import BODIES
from webapp.intake.call_payload import metadata, payload_of
from webapp.intake.judging import ASKING, answer_handshake, judge, judge_asking
from webapp.intake.waiting import answer_caller
from webapp.receiving.uploads import Uploads
from webapp.services import draft_calls, test_urls

blueprint = Blueprint("webhook_tests", __name__)


@blueprint.route(f"/{PATH}/<token>", methods=["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
@endpoint(
    Tag.WEBHOOKS,
    {
        200: Answer(schemas.TestCallAccepted, "Accepted for good"),
        404: Answer(None, "No such test URL, or nobody is listening"),
    },
    takes=ANY_BODY,
    refuses=(401, 403, 405, 409, 429),
    public=True,
)
def receive(token: str) -> Response:
    """Call the draft of a workflow, while somebody listens in the builder"""
    hook = _find(token)
    calls.refuse_too_many(token)
    session().rollback()
    declared = read_hook(hook.configuration, backends().vault)
    if request.method in ASKING:
        return judge_asking(declared)
    with BODIES.spend(announced_bytes()):
        judged = judge(declared)
        if isinstance(judged, Handshake):
            return _shake_hands(judged)
        uploads = Uploads(partial(_owner, hook))
        with uploads.unless_refused():
            call = TestCall(payload_of(declared, uploads), metadata(), judged.hook.config.awaiting, uploads.holder)
            accepted = draft_calls().accept(session(), backends().bus, hook, call)
    calls.count(token, hook.user_id)
    execution_id = accepted.fresh.execution_id if accepted.fresh else None
    acceptance = {"success": True, "message": "Test call received", "executionId": execution_id}
    response = answer_caller(replace(accepted, fresh=None), acceptance)
    response.headers[EXECUTION], response.headers[EVENT] = str(execution_id), str(accepted.event_id)
    return response


def _find(token: str) -> DraftHook:
    """Raises NotFound."""
    workflow_id = test_urls().read(token)
    if workflow_id is None:
        raise NotFound("there is no such test URL")
    if not test_urls().is_listening(workflow_id):
        raise NotFound("nobody is listening: click Listen in the builder, then call again")
    return draft_calls().hook(session(), workflow_id)


def _shake_hands(handshake: Handshake) -> Response:
    if handshake.secret is not None:
        raise Conflict("this provider hands out a secret; publish the workflow and register its webhook URL there")
    return answer_handshake(handshake)


def _owner(hook: DraftHook) -> UUID:
    return hook.user_id
