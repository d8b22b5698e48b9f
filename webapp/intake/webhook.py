"""The public intake: `/webhook/{token}` (contract.md, section 1.4). The hot path.

What a call says is believed, and its body parsed, once it is known who sends it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from uuid import UUID

from flask import Blueprint, Response, after_this_request, request, url_for
from flask.blueprints import BlueprintSetupState
from werkzeug.exceptions import MethodNotAllowed

from flowforge import jsonio
from flowforge.engine import answers, intake
from flowforge.engine.intake import CallKey, KnownToken, Repeat
from flowforge.errors import Forbidden, Invalid, NotFound, Unavailable
from flowforge.field_order import in_stored_order
from flowforge.jsonio import JsonObject
from flowforge.triggers.kinds.webhook import WEBHOOK
from flowforge.triggers.webhooks.authentication import Handshake, NotProven, Proof
from flowforge.triggers.webhooks.call_keys import key_of_delivery, key_of_proof
from flowforge.triggers.webhooks.hook import Hook
from webapp.context import backends, session
from webapp.endpoint import ANY_BODY, Answer, Header, Tag, endpoint
from webapp.intake import calls, hooks, known_tokens, schemas
from webapp.intake.accepted import announce
from webapp.intake.body import most_bytes, read_body, read_bytes
from webapp.intake.body_budget import BODIES
from webapp.intake.cross_origin import allowed_methods, answer_preflight, is_foreign_page, share_answer
from webapp.intake.headers import AS_SENT, redact_headers, redact_query
from webapp.intake.raw_body import as_sent
from webapp.intake.waiting import as_response, wait_for_response
from webapp.receiving.form_data import parse_query
from webapp.receiving.received_body import drop_body, receive_body
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


@dataclass(frozen=True, slots=True)
class _Judged:
    """A call that is let in."""

    hook: Hook
    proof: Proof


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
    if request.method in {"HEAD", "OPTIONS"}:  # asks what a call would be answered, and must not make anything happen
        return _judge_asking(known)
    calls.refuse_too_many(known.token)
    with BODIES.spend(_announced_bytes()):
        answer = _take(token, known)
        if answer is None:
            return _unknown()
        if isinstance(answer, Response):
            return answer
        calls.count(known.token, answer.user_id)
        announce(answer)
    if answer.wait_seconds is not None and answer.event_id is not None:
        answer = replace(answer, fresh=None)  # a caller who waits holds nothing of what was sent meanwhile
        drop_body()
        return wait_for_response(answer) or _to_be_answered(answer)
    return Response(jsonio.dumps(_describe_acceptance(answer)), 200, mimetype="application/json")


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
        raise NotFound("no caller waits for the answer of such an event")
    return as_response(found.answer, event_id) if found.answer else Response(_NOT_YET, 202, mimetype="application/json")


def _to_be_answered(answer: intake.AcceptedCall) -> Response:
    path = url_for("webhooks.later_answer", event_id=answer.event_id)
    url = f"{backends().settings.public_webhook_base}{path}"
    body = {**_describe_acceptance(answer), "message": "The workflow has not answered yet", "statusUrl": url}
    return Response(jsonio.dumps(body), 202, {"Location": url, "Retry-After": "2"}, mimetype="application/json")


def _announced_bytes() -> int:
    """Bytes of the body as its head says; the most there may be where it does not say, or the body is packed."""
    announced, most = request.content_length, backends().settings.webhook_max_bytes
    if announced is not None and "Content-Encoding" not in request.headers:
        return min(announced, most)  # what is more is a file, which is not held in memory
    is_sent = announced or "Transfer-Encoding" in request.headers
    return most if is_sent else 0


def _unknown() -> Response:
    return Response(_UNKNOWN, 404, mimetype="application/json")


def _judge_asking(known: KnownToken) -> Response:
    hook = hooks.find_hook(known.configuration)
    if request.method == "OPTIONS":
        share_answer(hook)
        return answer_preflight(hook)
    _require_method(hook, "GET")
    return Response(mimetype="application/json")


def _take(token: str, known: KnownToken) -> intake.AcceptedCall | Response | None:
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
        raise Unavailable("this webhook is being changed; try again in a moment") from error


def _judge_and_store(known: KnownToken) -> intake.AcceptedCall | Response:
    hook = hooks.find_hook(known.configuration)
    share_answer(hook)
    _echo(hook.authentication.echoed_header)
    judged = _judge(hook)
    if isinstance(judged, Handshake):
        return _shake_hands(known, judged)
    accepted = _store(known, judged)
    if accepted is None or accepted.is_outdated:
        raise _Outdated
    return accepted


def _judge(hook: Hook) -> _Judged | Handshake:
    """Raises MethodNotAllowed, Forbidden, NotProven."""
    if not hook.admits(request.remote_addr or ""):
        raise Forbidden("this webhook takes no calls from your address")
    if is_foreign_page(hook):
        raise Forbidden("this webhook takes no calls from pages of this origin")
    if hook.is_open:
        _require_method(hook, request.method)
        return _Judged(hook, Proof())
    return _prove(hook)


def _prove(hook: Hook) -> _Judged | Handshake:
    """A handshake comes by the method that its provider wants."""
    call, authentication = hooks.read_call(), hook.authentication
    try:
        handshake = authentication.handshake(call)
        if handshake is not None:
            return handshake
        _require_method(hook, request.method)
        return _Judged(hook, authentication.verify(call))
    except NotProven as error:
        error.challenge = authentication.challenge
        raise


def _echo(name: str | None) -> None:
    """Gives the header back in the answer, whatever that is, where it was sent."""
    sent = request.headers.get(name) if name else None
    if not name or not sent:
        return

    def echo(response: Response) -> Response:
        response.headers[name] = sent
        return response

    after_this_request(echo)


def _require_method(hook: Hook, method: str) -> None:
    if method not in hook.config.methods:
        raise MethodNotAllowed(allowed_methods(hook))


def _shake_hands(known: KnownToken, handshake: Handshake) -> Response:
    if handshake.secret is not None and not triggers().keep_secret(session(), known, handshake.secret):
        raise _Outdated
    return Response(handshake.body, 200, handshake.headers, mimetype=handshake.media_type)


def _store(known: KnownToken, judged: _Judged) -> intake.AcceptedCall | None:
    """None: there is no such webhook any more."""
    uploads = Uploads(partial(_owner, known.token))
    with uploads.unless_refused():
        event = WEBHOOK, known.token, _payload(judged.hook, uploads), _metadata(), _key(judged)
        accepted = intake.accept_call(
            backends().engine,
            *event,
            awaiting=judged.hook.config.awaiting,
            judged_by=known.configuration,
            event_id=uploads.holder,
        )
    if accepted is None or accepted.fresh is None:
        uploads.discard()
    return accepted


def _key(judged: _Judged) -> CallKey | None:
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
    owner = intake.find_owner(backends().engine, WEBHOOK, token)
    if owner is None:
        raise NotFound("there is no such webhook any more")
    return owner


def _payload(hook: Hook, uploads: Uploads) -> JsonObject:
    payload = {
        "body": read_body(uploads),
        "headers": redact_headers(
            request.headers, request.environ.get(AS_SENT, ()), hook.authentication.secret_headers
        ),
        "queryParams": redact_query(parse_query(request.query_string)),
        "method": request.method,
        "remoteAddress": request.remote_addr,
    }
    raw = {"rawBody": _raw_body()} if hook.config.raw_body else {}
    return in_stored_order(payload | raw)


def _raw_body() -> str | JsonObject:
    data = b"" if request.method == "GET" else read_bytes()
    return as_sent(data, request.content_type or "")


def _metadata() -> JsonObject:
    return {
        "source": WEBHOOK,
        "receivedAt": datetime.now(UTC),
        "remoteAddress": request.remote_addr,
        "method": request.method,
    }


def _describe_acceptance(answer: intake.AcceptedCall) -> JsonObject:
    body: JsonObject = {"success": True, "message": "Webhook received", "triggerId": answer.trigger_id}
    return body | ({"eventId": answer.event_id} if answer.event_id else {"ignored": True})


def _body_digest() -> str:
    return receive_body(most_bytes()).digest()


def _idempotency_key() -> str | None:
    key = request.headers.get("Idempotency-Key")
    if key is not None and not (0 < len(key) <= _LONGEST_KEY and key.isprintable()):
        raise Invalid.at("/headers/Idempotency-Key", f"must have 1 to {_LONGEST_KEY} printable characters")
    return key
