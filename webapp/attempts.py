"""How often one address may try to sign in or register. Counted in Redis; in memory while Redis is away."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Flask, current_app, request
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address

from flowforge.wiring import Backends

View = TypeVar("View", bound=Callable[..., Any])


def counts_as_attempt(view: View) -> View:
    """Marks a view whose POSTs use up AUTH_RATE_LIMIT; beyond it the answer is 429. All share it."""
    view.counts_as_attempt = True  # type: ignore[attr-defined]
    return view


def install(app: Flask, backends: Backends) -> None:
    pool: Any = backends.redis.connection_pool
    Limiter(
        get_remote_address,
        app=app,
        application_limits=[backends.settings.auth_rate_limit],
        application_limits_exempt_when=_is_no_attempt,
        storage_uri="redis://",
        storage_options={"connection_pool": pool},
        in_memory_fallback_enabled=True,
        headers_enabled=True,
        key_prefix="flowforge:attempts",
    )


def _is_no_attempt() -> bool:
    view = current_app.view_functions.get(request.endpoint or "")
    return request.method != "POST" or not getattr(view, "counts_as_attempt", False)
