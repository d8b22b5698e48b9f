"""Request headers as a workflow may see them: secrets are left out of what is stored."""

from __future__ import annotations

import re

from werkzeug.datastructures import Headers

REDACTED = "[redacted]"
_SECRET = re.compile("authorization|cookie|signature|secret|token|password|api-?key|hmac")


def shown_headers(headers: Headers) -> dict[str, str]:
    """Names in lower case. The web server joins the values of a repeated header with commas, as HTTP allows."""
    return {name.lower(): REDACTED if _SECRET.search(name.lower()) else value for name, value in headers.items()}
