"""Request headers as a workflow may see them: secrets are left out of what is stored."""

from __future__ import annotations

import re
from typing import Any

from werkzeug.datastructures import Headers

REDACTED = "[redacted]"
_SECRET = re.compile("authorization|cookie|signature|secret|token|password|api-?key|hmac")


def shown_headers(headers: Headers) -> dict[str, Any]:
    """Names in lower case; a text where there is one value, a list where there are more."""
    shown: dict[str, Any] = {}
    for raw_name, raw_value in headers.items():
        name = raw_name.lower()
        value = REDACTED if _SECRET.search(name) else raw_value
        if name not in shown:
            shown[name] = value
        elif isinstance(shown[name], list):
            shown[name].append(value)
        else:
            shown[name] = [shown[name], value]
    return shown
