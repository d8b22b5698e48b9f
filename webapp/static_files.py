"""Static files: the address of each says what it holds, so that browsers keep it for good and never show an old one."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Any

from flask import Flask, Response, current_app, request

_VERSION = "v"
_DIGITS = 10
_FONT = ".woff2"
"""Style sheets name fonts, and know no digests: a font's version is part of its name."""
_FOR_GOOD = "public, max-age=31536000, immutable"  # RFC 8246


def install(app: Flask) -> None:
    app.url_defaults(_add_version)
    app.after_request(_let_it_be_kept)


def _add_version(endpoint: str, values: dict[str, Any]) -> None:
    if endpoint == "static" and not values["filename"].endswith(_FONT):
        version = _version(values["filename"])
        if version:
            values[_VERSION] = version


def _let_it_be_kept(response: Response) -> Response:
    """Only under the address of what it holds now."""
    if request.endpoint == "static" and response.status_code in {200, 304}:
        filename: str = (request.view_args or {})["filename"]
        asked = request.args.get(_VERSION)
        if filename.endswith(_FONT) or (asked and asked == _version(filename)):
            response.headers["Cache-Control"] = _FOR_GOOD
    return response


def _version(filename: str) -> str | None:
    """None where there is no such file."""
    path = Path(current_app.static_folder or "") / filename
    try:
        stat = path.stat()
    except OSError:
        return None
    return _digest(path, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=256)
def _digest(path: Path, _changed_ns: int, _size: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:_DIGITS]
