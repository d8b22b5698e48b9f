"""A command line that calls a webhook, to be copied into a terminal."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from flowforge import jsonio

_LONGEST_BODY = 600
_NOTHING_KNOWN = {"name": "Ada"}


def curl(url: str, sample: Mapping[str, Any] | None) -> str:
    """Sends what `sample`, a webhook's payload, has as its body; something made up where that is nothing, or long."""
    body = (sample or {}).get("body")
    text = jsonio.dumps(body).decode() if isinstance(body, dict | list) and body else ""
    if not text or len(text) > _LONGEST_BODY:
        text = jsonio.dumps(_NOTHING_KNOWN).decode()
    return f"curl -X POST -H 'Content-Type: application/json' -d {shlex.quote(text)} {shlex.quote(url)}"
