"""The public intake: `POST` and `GET /webhook/{token}` (contract.md, section 1.4). The hot path."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

from flask import Blueprint, Response, request, url_for
from flask.blueprints import BlueprintSetupState

from flowforge import jsonio
from flowforge.engine import answers, intake
from flowforge.engine.intake import KnownToken
from flowforge.errors import Invalid, NotFound, Unauthorized, Unavailable
from flowforge.jsonio import JsonObject
from flowforge.secrets import SecretUnreadable
from flowforge.triggers import signatures
from flowforge.triggers.kinds.webhook import WEBHOOK
from webapp.context import backends
from webapp.endpoint import ANY_BODY, Answer, Header, Tag, endpoint
from webapp.intake import calls, known_tokens, schemas
from webapp.intake.accepted import announce
from webapp.intake.body import read_body, read_bytes
from webapp.intake.body_budget import BODIES
from webapp.intake.headers import AS_SENT, redact_headers, redact_query
from webapp.intake.waiting import as_response, wait_for_answer

blueprint = Blueprint("webhooks", __name__)


@blueprint.record_once
def _install(state: BlueprintSetupState) -> None:
    known_tokens.install(state.app)  # type: ignore[arg-type]


_LONGEST_KEY = 255
_NOT_YET = jsonio.dumps({"success": True, "message": "The workflow has not answered yet"})
_UNSIGNED = "this webhook takes POST requests whose signature is right (X-Hub-Signature-256, or X-Signature-256)"
_UNKNOWN = jsonio.dumps({"success": False, "error": "Invalid webhook token"})


_IDEMPOTENCY_KEY = Header(
    "Idempotency-Key",
    "A repeat with the same key and the same body starts nothing and gets the first answer; with another body, a 409.",
    {"type": "string", "minLength": 1, "maxLength": _LONGEST_KEY},
)
_SIGNATURE = Header(
    "X-Hub-Signature-256",
    "sha256= and the HMAC-SHA256 of the body, where the trigger's configuration holds a `secret`; also read"
    " from X-Signature-256.",
    {"type": "string"},
)


@blueprint.route("/webhook/<path:token>", methods=["POST", "GET"])
@endpoint(
    Tag.WEBHOOKS,
    {
        200: Answer(schemas.WebhookAccepted, "Accepted for good"),
        404: Answer(schemas.WebhookUnknown, "No such webhook"),
    },
    takes=ANY_BODY,
    headers=(_IDEMPOTENCY_KEY, _SIGNATURE),
    refuses=(401, 409, 429),
    public=True,
)
def receive(token: str) -> Response:
    """Call a webhook"""
    if request.method == "HEAD":  # asks whether a GET would be accepted, and must not make anything happen
        exists = known_tokens.is_known(WEBHOOK, token)
        return Response(status=200 if exists else 404, mimetype="application/json")
    calls.refuse_too_many(token)
    known = known_tokens.find(WEBHOOK, token)
    if known is None:
        return Response(_UNKNOWN, 404, mimetype="application/json")
    with BODIES.spend(_announced_bytes()):
        answer = _accept(token, known)
        if answer is None:
            known_tokens.note_unknown(token)
            return Response(_UNKNOWN, 404, mimetype="application/json")
        calls.count(token, answer.user_id)
        announce(answer)
    if answer.wait_seconds is not None and answer.event_id is not None:
        answer = replace(answer, fresh=None)  # a caller who waits holds no payload meanwhile
        found = wait_for_answer(answer)
        return as_response(found) if found else _to_be_answered(answer)
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
    return as_response(found.answer) if found.answer else Response(_NOT_YET, 202, mimetype="application/json")


def _to_be_answered(answer: intake.AcceptedCall) -> Response:
    path = url_for("webhooks.later_answer", event_id=answer.event_id)
    url = f"{backends().settings.public_webhook_base}{path}"
    body = {**_describe_acceptance(answer), "message": "The workflow has not answered yet", "statusUrl": url}
    return Response(jsonio.dumps(body), 202, {"Location": url, "Retry-After": "2"}, mimetype="application/json")


def _announced_bytes() -> int:
    """Bytes of the body as its head says; the most there may be where it does not say, or the body is packed."""
    announced = request.content_length
    if announced is not None and "Content-Encoding" not in request.headers:
        return announced
    is_sent = announced or "Transfer-Encoding" in request.headers
    return backends().settings.webhook_max_bytes if is_sent else 0


def _accept(token: str, known: KnownToken) -> intake.AcceptedCall | None:
    """None: there is no such webhook. Raises Unauthorized where it demands a signature that the call does not have."""
    answer = _store(token, _prove(token, known))
    if answer is None or answer.unproven is None:
        return answer
    changed = KnownToken(answer.unproven)  # since it was looked up
    known_tokens.remember(token, changed)
    answer = _store(token, _prove(token, changed))
    if answer is not None and answer.unproven is not None:
        raise Unauthorized(_UNSIGNED)
    return answer


def _prove(token: str, known: KnownToken) -> str | None:
    """The sealed secret that the caller is shown to know by the bytes of the body, before they are parsed; None where
    there is no such webhook, or anybody may call it. Raises Unauthorized."""
    if known.secret is None or _is_signed(known.secret):
        return known.secret
    present = known_tokens.look_up(WEBHOOK, token)
    if present is None or present.secret is None:
        return None
    if present == known or not _is_signed(present.secret):
        raise Unauthorized(_UNSIGNED)
    return present.secret


def _is_signed(sealed: str) -> bool:
    """A GET's body is empty, so its signature would prove nothing of what it says."""
    if request.method == "GET":
        return False
    try:
        secret = backends().vault.open(sealed)
    except SecretUnreadable as error:
        raise Unavailable(str(error)) from error
    sent = [value for name in signatures.HEADERS for value in request.headers.getlist(name)]
    return signatures.is_signed(secret, read_bytes(backends().settings.webhook_max_bytes), sent)


def _store(token: str, proven: str | None) -> intake.AcceptedCall | None:
    key = _idempotency_key()
    digest = _body_digest() if key or proven else None
    event = WEBHOOK, token, _payload(), _metadata(), key
    return intake.accept_call(backends().engine, *event, body_digest=digest, proven=proven)


def _payload() -> JsonObject:
    return {
        "body": read_body(backends().settings.webhook_max_bytes),
        "headers": redact_headers(request.headers, request.environ.get(AS_SENT, ())),
        "queryParams": redact_query(request.args),
        "method": request.method,
        "remoteAddress": request.remote_addr,
    }


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
    return hashlib.sha256(request.get_data()).hexdigest()


def _idempotency_key() -> str | None:
    key = request.headers.get("Idempotency-Key")
    if key is not None and not (0 < len(key) <= _LONGEST_KEY and key.isprintable()):
        raise Invalid.at("/headers/Idempotency-Key", f"must have 1 to {_LONGEST_KEY} printable characters")
    return key
