"""The public intake: `/webhook/{token}` (contract.md, section 1.4). The hot path.

What a call says is believed, and its body parsed, once it is known who sends it.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from uuid import UUID

from flask import Blueprint, Response, request
from flask.blueprints import BlueprintSetupState
from werkzeug.exceptions import MethodNotAllowed

from flowforge import jsonio
from flowforge.engine import answers
from flowforge.engine.intake import AcceptedCall, CallKey, KnownToken, Repeat, find_owner
from flowforge.errors import Forbidden, Invalid, NotFound, Unavailable
from flowforge.jsonio import JsonObject
from flowforge.sentences import sentence
from flowforge.triggers.kinds.webhook import WEBHOOK
from flowforge.triggers.webhooks.authentication import Handshake, NotProven
from flowforge.triggers.webhooks.call_keys import key_of_delivery, key_of_proof
from webapp.context import backends, session
from webapp.endpoint import ANY_BODY, Answer, Header, Tag, endpoint
from webapp.intake import accepted, calls, hooks, known_tokens, schemas
from webapp.intake.body import announced_bytes, most_bytes
from webapp.intake.body_budget import BODIES
from webapp.intake.call_payload import metadata, payload_of
from webapp.intake.judging import ASKING, Judged, answer_handshake, judge, judge_asking
from webapp.intake.waiting import answer_caller, as_response
from webapp.receiving.received_body import receive_body
from webapp.receiving.uploads import Uploads
from webapp.services import triggers

blueprint = Blueprint("webhooks", __name__)


@blueprint.record_once
def _install(state: BlueprintSetupState) -> None:
    known_tokens.install(state.app)  # type: ignore[arg-type]
    hooks.install(state.app)  # type: ignore[arg-type]


_LONGEST_KEY = 255
_NOT_YET = jsonio.dumps({"success": True, "message": "The workflow has not answered yet"})
_UNKNOWN = jsonio.dumps({"success": False, "error": "Invalid webhook token"})


class _Outdated(Exception):
    """The trigger is another one than the call was judged by."""


_IDEMPOTENCY_KEY = Header(
    "Idempotency-Key",
    "A repeat with the same key and the same body starts nothing and gets the first answer; with another body, a 409.",
    {"type": "string", "minLength": 1, "maxLength": _LONGEST_KEY},
)
_SIGNATURE = Header(
    "X-Hub-Signature-256",
    "sha256= and the HMAC-SHA256 of the body, where the trigger's configuration holds a `secret` alone (also read from"
    " X-Signature-256); with `auth`, what that asks for.",
    {"type": "string"},
)


@blueprint.route("/webhook/<path:token>", methods=["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
@endpoint(
    Tag.WEBHOOKS,
    {
        200: Answer(schemas.WebhookAccepted, "Accepted for good"),
        404: Answer(schemas.WebhookUnknown, "No such webhook"),
    },
    takes=ANY_BODY,
    headers=(_IDEMPOTENCY_KEY, _SIGNATURE),
    refuses=(401, 403, 405, 409, 429),
    public=True,
)
def receive(token: str) -> Response:
    """Call a webhook"""
    known = known_tokens.find(WEBHOOK, token)
    if known is None:
        return _unknown()
    if request.method in ASKING:
        return judge_asking(hooks.find_hook(known.configuration))
    calls.refuse_too_many(known.token)
    with BODIES.spend(announced_bytes()):
        answer = _take(token, known)
        if answer is None:
            return _unknown()
        if isinstance(answer, Response):
            return answer
        calls.count(known.token, answer.user_id)
        accepted.count(answer)
    if answer.wait_seconds is not None:
        answer = replace(answer, fresh=None)  # a caller who waits holds nothing of what was sent meanwhile
    return answer_caller(answer, _describe_acceptance(answer))


@blueprint.get("/webhook-answers/<uuid:event_id>")
@endpoint(
    Tag.WEBHOOKS,
    {
        200: Answer(None, "What the workflow answered, with its status", None),
        202: Answer(schemas.AnswerPending, "Not yet"),
    },
    public=True,
)
def later_answer(event_id: UUID) -> Response:
    """Show a workflow's answer to a call that could not wait for it; 202 while there is none yet"""
    found = answers.find_pending(backends().engine, event_id)
    if found is None:
        raise NotFound(sentence("no caller waits for the answer of such an event"))
    return as_response(found.answer, event_id) if found.answer else Response(_NOT_YET, 202, mimetype="application/json")


def _unknown() -> Response:
    return Response(_UNKNOWN, 404, mimetype="application/json")


def _take(token: str, known: KnownToken) -> AcceptedCall | Response | None:
    """Judge a call and store it, or answer it where it is a handshake. What is refused, or not stored, is looked at
    once more by the trigger as it is now. None: there is no such webhook any more."""
    try:
        return _judge_and_store(known)
    except (NotProven, Forbidden, MethodNotAllowed, _Outdated):
        present = known_tokens.look_up(WEBHOOK, token)
        if present == known:
            raise
    try:
        return None if present is None else _judge_and_store(present)
    except _Outdated as error:
        raise Unavailable(sentence("this webhook is being changed; try again in a moment")) from error


def _judge_and_store(known: KnownToken) -> AcceptedCall | Response:
    judged = judge(hooks.find_hook(known.configuration))
    if isinstance(judged, Handshake):
        return _shake_hands(known, judged)
    call = _store(known, judged)
    if call is None or call.is_outdated:
        raise _Outdated
    return call


def _shake_hands(known: KnownToken, handshake: Handshake) -> Response:
    if handshake.secret is not None and not triggers().keep_secret(session(), known, handshake.secret):
        raise _Outdated
    return answer_handshake(handshake)


def _store(known: KnownToken, judged: Judged) -> AcceptedCall | None:
    """None: there is no such webhook any more."""
    uploads = Uploads(partial(_owner, known.token))
    with uploads.unless_refused():
        event = WEBHOOK, known.token, payload_of(judged.hook, uploads), metadata(), _key(judged)
        call = accepted.intake().accept(
            *event,
            awaiting=judged.hook.config.awaiting,
            judged_by=known.configuration,
            event_id=uploads.holder,
        )
    if call is None or call.fresh is None:
        uploads.discard()
    return call


def _key(judged: Judged) -> CallKey | None:
    """What tells the call from others; of what is not signed, only where nothing that is signed does."""
    proven = key_of_proof(judged.proof)
    if proven is not None:
        return proven
    header = judged.hook.config.delivery_header or judged.hook.authentication.id_header
    delivery = request.headers.get(header) if header else None
    if delivery:
        return key_of_delivery(delivery)
    key = _idempotency_key()
    return CallKey(key, _body_digest(), Repeat.OF_THE_SAME) if key is not None else None


def _owner(token: str) -> UUID:
    owner = find_owner(backends().engine, WEBHOOK, token)
    if owner is None:
        raise NotFound(sentence("there is no such webhook any more"))
    return owner


def _describe_acceptance(answer: AcceptedCall) -> JsonObject:
    body: JsonObject = {"success": True, "message": "Webhook received", "triggerId": answer.trigger_id}
    return body | ({"eventId": answer.event_id} if answer.event_id else {"ignored": True})


def _body_digest() -> str:
    return receive_body(most_bytes()).digest()


def _idempotency_key() -> str | None:
    key = request.headers.get("Idempotency-Key")
    if key is not None and not (0 < len(key) <= _LONGEST_KEY and key.isprintable()):
        raise Invalid.at(
            "/headers/Idempotency-Key", sentence("must have 1 to %(most)s printable characters", most=_LONGEST_KEY)
        )
    return key
