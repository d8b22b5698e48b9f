"""The public intake: `POST` and `GET /webhook/{token}` (contract.md, section 1.4). The hot path."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Response, request

from flowforge import jsonio
from flowforge.errors import Invalid
from flowforge.operations import intake
from webapp import metrics
from webapp.context import backends
from webapp.webhooks.body import read_body
from webapp.webhooks.headers import shown_headers

blueprint = Blueprint("webhooks", __name__)

_LONGEST_KEY = 255
_UNKNOWN = jsonio.dumps({"success": False, "error": "Invalid webhook token"})


@blueprint.route("/webhook/<path:token>", methods=["POST", "GET"])
def receive(token: str) -> Response:
    """Call a webhook"""
    if request.method == "HEAD":  # asks whether a GET would be accepted, and must not make anything happen
        known = intake.webhook_exists(backends().engine, token)
        return Response(status=200 if known else 404, mimetype="application/json")
    answer = intake.accept_webhook(backends().engine, token, _payload(), _metadata(), _idempotency_key())
    if answer is None:
        return Response(_UNKNOWN, 404, mimetype="application/json")
    if answer.fresh is not None:
        limit = backends().settings.payload_inline_limit
        intake.announce(backends().bus, [answer.fresh], inline_limit=limit)
        metrics.count_event(answer.fresh.trigger_type)
    return Response(jsonio.dumps(_accepted(answer)), 200, mimetype="application/json")


def _payload() -> dict[str, Any]:
    return {
        "body": read_body(backends().settings.webhook_max_bytes),
        "headers": shown_headers(request.headers),
        "queryParams": _query(),
        "method": request.method,
        "remoteAddress": request.remote_addr,
    }


def _metadata() -> dict[str, Any]:
    return {
        "source": "webhook",
        "receivedAt": datetime.now(UTC),
        "remoteAddress": request.remote_addr,
        "method": request.method,
    }


def _accepted(answer: intake.WebhookAnswer) -> dict[str, Any]:
    body: dict[str, Any] = {"success": True, "message": "Webhook received", "triggerId": answer.trigger_id}
    return body | ({"eventId": answer.event_id} if answer.event_id else {"ignored": True})


def _idempotency_key() -> str | None:
    key = request.headers.get("Idempotency-Key")
    if key is not None and not (0 < len(key) <= _LONGEST_KEY and key.isprintable()):
        raise Invalid.at("/headers/Idempotency-Key", f"must have 1 to {_LONGEST_KEY} printable characters")
    return key


def _query() -> dict[str, Any]:
    return {name: values[0] if len(values) == 1 else values for name, values in request.args.lists()}
