"""The body of a call as it was sent, for workflows that ask for it."""

from __future__ import annotations

import base64

from flowforge import charsets
from flowforge.jsonio import JsonObject


def as_sent(data: bytes, content_type: str) -> str | JsonObject:
    """Text that has exactly these bytes in UTF-8; where there is none that can be stored, {base64, contentType}."""
    if charsets.is_utf8(data) and b"\0" not in data:
        return data.decode()
    return {"base64": base64.b64encode(data).decode(), "contentType": content_type}
