"""Calls of webhooks as senders make them, and the signatures that they put on them."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

from flowforge.triggers.kinds.webhook import KIND
from flowforge.triggers.webhooks.authentication import Authentication
from flowforge.triggers.webhooks.call import Call

NOW = 1_800_000_000


def call(body: bytes | str = b"{}", headers: Mapping[str, str] | None = None, **more: Any) -> Call:
    data = body.encode() if isinstance(body, str) else body
    given = {name.lower(): value for name, value in (headers or {}).items()}
    usual = {"method": "POST", "url": "https://flow.example/webhook/t", "query": {}, "media_type": "application/json"}
    pieces = {"read_pieces": lambda: iter([data[:5], data[5:]])}
    return Call(**{**usual, "at": NOW, "read_body": lambda: data, **pieces, "headers": given, **more})


def authentication(auth: str, **config: Any) -> Authentication:
    written = {"auth": auth, **config}
    assert KIND.problems(written) == []
    return KIND.authentication(written)


def hexadecimal(key: str | bytes, content: bytes, algorithm: Any = hashlib.sha256) -> str:
    return hmac.new(key.encode() if isinstance(key, str) else key, content, algorithm).hexdigest()


def in_base64(key: str | bytes, content: bytes, algorithm: Any = hashlib.sha256) -> str:
    return base64.b64encode(bytes.fromhex(hexadecimal(key, content, algorithm))).decode()
