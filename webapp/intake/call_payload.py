"""What a webhook's call brings to its workflow (contract.md, section 1.4)."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import request

from flowforge.field_order import in_stored_order
from flowforge.jsonio import JsonObject
from flowforge.triggers.kinds.webhook import WEBHOOK
from flowforge.triggers.webhooks.hook import Hook
from webapp.context import present_request
from webapp.intake.body import read_body, read_bytes
from webapp.intake.headers import AS_SENT, redact_headers, redact_query
from webapp.intake.raw_body import as_sent
from webapp.receiving.form_data import parse_query
from webapp.receiving.uploads import Uploads


def payload_of(hook: Hook, uploads: Uploads) -> JsonObject:
    """Raises what `read_body` raises."""
    sent = present_request()
    payload = {
        "body": read_body(uploads),
        "headers": redact_headers(sent.headers, sent.environ.get(AS_SENT, ()), hook.authentication.secret_headers),
        "queryParams": redact_query(parse_query(sent.query_string)) if sent.query_string else {},
        "method": sent.method,
        "remoteAddress": sent.remote_addr,
    }
    raw = {"rawBody": _raw_body()} if hook.config.raw_body else {}
    return in_stored_order(payload | raw)


def _raw_body() -> str | JsonObject:
    data = b"" if request.method == "GET" else read_bytes()
    return as_sent(data, request.content_type or "")


def metadata() -> JsonObject:
    sent = present_request()
    return {
        "source": WEBHOOK,
        "receivedAt": datetime.now(UTC),
        "remoteAddress": sent.remote_addr,
        "method": sent.method,
    }
