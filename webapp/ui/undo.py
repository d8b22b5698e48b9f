"""Undo: a draft as it was before each edit, kept for an hour in Redis; losing it loses nothing else."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from redis.exceptions import RedisError

from flowforge import jsonio
from flowforge.jsonio import JsonObject
from flowforge.secrets import SecretUnreadable
from webapp.context import backends

MOST = 30
_SECONDS = 3_600
_LARGEST = 256 * 1024


def remember(workflow_id: UUID, definition: JsonObject) -> None:
    """Sealed as a whole: its secrets are in clear."""
    sealed = backends().vault.seal(jsonio.dumps_for_database(definition))
    if len(sealed) > _LARGEST:
        return
    try:
        with backends().redis.pipeline(transaction=False) as pipe:
            pipe.lpush(_key(workflow_id), sealed)
            pipe.ltrim(_key(workflow_id), 0, MOST - 1)
            pipe.expire(_key(workflow_id), _SECONDS)
            pipe.execute()
    except RedisError:
        return  # the edit counts; that it cannot be taken back is no reason to refuse it


def recall(workflow_id: UUID) -> JsonObject | None:
    """The last one, and forgets it; None where there is none."""
    try:
        sealed: Any = backends().redis.lpop(_key(workflow_id))
    except RedisError:
        return None
    if sealed is None:
        return None
    try:
        clear: JsonObject = jsonio.loads(
            backends().vault.open(sealed.decode() if isinstance(sealed, bytes) else sealed)
        )
    except SecretUnreadable:
        return None
    return clear


def forget(workflow_id: UUID) -> None:
    try:
        backends().redis.delete(_key(workflow_id))
    except RedisError:
        return


def can_undo(workflow_id: UUID) -> bool:
    try:
        return bool(backends().redis.exists(_key(workflow_id)))
    except RedisError:
        return False


def _key(workflow_id: UUID) -> str:
    return f"flowforge:undo:{workflow_id}"
