"""Changes of lists that can be undone: kept for some minutes in Redis; losing one loses nothing else."""

from __future__ import annotations

import secrets
from typing import Any

from redis.exceptions import RedisError

from flowforge import jsonio
from flowforge.jsonio import JsonObject
from webapp.context import backends
from webapp.ui.guard import viewer_id

_SECONDS = 600


def keep(change: JsonObject) -> str | None:
    """Keep what undoes a change of the viewer's; returns its token, or None where it cannot be kept."""
    token = secrets.token_urlsafe(16)
    try:
        backends().redis.set(_key(token), jsonio.dumps(change), ex=_SECONDS)
    except RedisError:
        return None  # the change counts; that it cannot be undone at a click is no reason to refuse it
    return token


def take(token: str) -> JsonObject | None:
    """Take what undoes a change; None where it is gone, or somebody else's."""
    try:
        kept: Any = backends().redis.getdel(_key(token))
    except RedisError:
        return None
    change: JsonObject | None = jsonio.loads(kept) if kept else None
    return change


def _key(token: str) -> str:
    return f"flowforge:undo-change:{viewer_id()}:{token[:64]}"
