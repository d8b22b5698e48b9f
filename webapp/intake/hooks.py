"""Webhooks as their triggers declare them, read once by each web process, and the calls that they judge."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import lru_cache

from flask import Flask, current_app, request

from flowforge.charsets import header_text
from flowforge.triggers.webhooks.call import Call
from flowforge.triggers.webhooks.hook import Hook, read_hook
from flowforge.triggers.webhooks.published_keys import FetchedKeys
from webapp.context import backends
from webapp.intake.body import read_bytes, read_pieces

_EXTENSION = "flowforge.hooks"
_KEYS_EXTENSION = "flowforge.published_keys"
_REMEMBERED = 10_000


def install(app: Flask) -> None:
    app.extensions[_EXTENSION] = lru_cache(_REMEMBERED)(_read)
    app.extensions[_KEYS_EXTENSION] = FetchedKeys(lambda: backends().tools.http)


def find_hook(configuration: str) -> Hook:
    """The webhook of that configuration. Raises Unavailable for one that cannot be used."""
    read: Callable[[str], Hook] = current_app.extensions[_EXTENSION]
    return read(configuration)


def read_call() -> Call:
    """The request as a call to be judged."""
    return Call(
        method=request.method,
        url=backends().settings.public_webhook_base + _target(),
        query=request.args.to_dict(),
        headers={name.lower(): header_text(value) for name, value in request.headers.items()},
        read_body=(lambda: b"") if request.method == "GET" else read_bytes,
        read_pieces=tuple if request.method == "GET" else read_pieces,
        media_type=request.mimetype,
        at=time.time(),
        keys=current_app.extensions[_KEYS_EXTENSION],
    )


def _read(configuration: str) -> Hook:
    return read_hook(configuration, backends().vault)


def _target() -> str:
    """Path and query as the caller wrote them; WSGI only has the path decoded."""
    environ = request.environ
    return str(environ.get("RAW_URI") or environ.get("REQUEST_URI") or request.full_path.removesuffix("?"))
