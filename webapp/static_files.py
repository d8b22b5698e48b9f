"""Static files under addresses that say what they hold, so that browsers keep them for good and never show an old one.

The digest of all of them is a folder in the address of each: `/static/v-0123456789/builder/main.js`. What a script
imports and what a style sheet names is relative, and so carries the digest too.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from flask import Flask, Response, current_app, g, request

_VERSION = "version"
_DIGITS = 10
_FOR_GOOD = "public, max-age=31536000, immutable"  # RFC 8246

File = tuple[str, int, int]
"""A file's path, time of change (nanoseconds) and size: enough to notice that its content changed."""


def install(app: Flask) -> None:
    view = app.view_functions["static"]
    app.add_url_rule(f"{app.static_url_path}/v-<{_VERSION}>/<path:filename>", endpoint="static", view_func=view)
    app.url_defaults(_add_version)
    app.url_value_preprocessor(_take_version)
    app.after_request(_let_it_be_kept)


def _add_version(endpoint: str, values: dict[str, Any]) -> None:
    if endpoint == "static":
        values.setdefault(_VERSION, version())


def _take_version(endpoint: str | None, values: dict[str, Any] | None) -> None:
    if endpoint == "static" and values:
        g.static_version_in_address = values.pop(_VERSION, None)


def _let_it_be_kept(response: Response) -> Response:
    """Allows keeping only what is fetched by the address of what it holds now."""
    is_file = request.endpoint == "static" and response.status_code in {200, 304}
    if is_file and g.static_version_in_address == version():
        response.headers["Cache-Control"] = _FOR_GOOD
    return response


def version() -> str:
    """Return the digest of all static files, as it is during this request."""
    if "static_version" not in g:
        folder = current_app.static_folder or ""
        g.static_version = _digest(folder, tuple(sorted(_files(folder))))
    digest: str = g.static_version
    return digest


def _files(folder: str) -> Iterator[File]:
    for entry in os.scandir(folder):
        if entry.is_dir():
            yield from _files(entry.path)
        else:
            stat = entry.stat()
            yield entry.path, stat.st_mtime_ns, stat.st_size


@lru_cache(maxsize=4)
def _digest(folder: str, files: tuple[File, ...]) -> str:
    digest = hashlib.sha256()
    for path, _, size in files:
        digest.update(f"{os.path.relpath(path, folder)} {size} ".encode() + Path(path).read_bytes())
    return digest.hexdigest()[:_DIGITS]
