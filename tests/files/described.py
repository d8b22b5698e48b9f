"""Files as they have to stand in payloads."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from typing import Any


def described(name: str, type_: str, data: bytes) -> dict[str, Any]:
    """All that is said of a file but where its content is."""
    return {"name": name, "type": type_, "size": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def inline(name: str, type_: str, data: bytes) -> dict[str, Any]:
    """A small one, with its content."""
    return {**described(name, type_, data), "base64": b64encode(data).decode()}
