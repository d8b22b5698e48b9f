"""Undo and redo: a draft as it was before each edit, and before each undo, kept for an hour in Redis; losing it loses
nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from redis.client import Pipeline
from redis.exceptions import RedisError

from flowforge.jsonio import JsonObject
from flowforge.secrets import SecretUnreadable
from webapp.context import backends
from webapp.ui.kept_definitions import SECONDS, opened, sealed

MOST = 50


class Direction(StrEnum):
    UNDO = "undo"
    REDO = "redo"

    @property
    def opposite(self) -> Direction:
        return Direction.REDO if self is Direction.UNDO else Direction.UNDO


@dataclass(frozen=True, slots=True)
class Possible:
    undo: bool
    redo: bool


def remember(workflow_id: UUID, before: JsonObject) -> None:
    """Keep what an edit changed. What was taken back before it cannot be done again then."""

    def push(pipe: Pipeline) -> None:
        _push(pipe, workflow_id, Direction.UNDO, before)
        pipe.delete(_key(workflow_id, Direction.REDO))

    _run(push)


def recall(workflow_id: UUID, direction: Direction) -> JsonObject | None:
    """The definition to go back or forward to; None where there is none."""
    try:
        kept: Any = backends().redis.lindex(_key(workflow_id, direction), 0)
        return None if kept is None else opened(kept)
    except (RedisError, SecretUnreadable):
        return None


def turn(workflow_id: UUID, direction: Direction, before: JsonObject) -> None:
    """Note that what was recalled is the draft now, and that it was `before` until then."""

    def swap(pipe: Pipeline) -> None:
        pipe.lpop(_key(workflow_id, direction))
        _push(pipe, workflow_id, direction.opposite, before)

    _run(swap)


def forget(workflow_id: UUID) -> None:
    _run(lambda pipe: pipe.delete(*(_key(workflow_id, direction) for direction in Direction)))


def possible(workflow_id: UUID) -> Possible:
    counts = _run(lambda pipe: [pipe.exists(_key(workflow_id, direction)) for direction in Direction])
    return Possible(*map(bool, counts or (0, 0)))


def _push(pipe: Pipeline, workflow_id: UUID, direction: Direction, definition: JsonObject) -> None:
    """One that is too large takes those below it along: what is taken back is always the last edit."""
    key, text = _key(workflow_id, direction), sealed(definition)
    if text is None:
        pipe.delete(key)
        return
    pipe.lpush(key, text)
    pipe.ltrim(key, 0, MOST - 1)
    pipe.expire(key, SECONDS)


def _run(commands: Callable[[Pipeline], Any]) -> Any:
    """What Redis answers; None where it is away: an edit counts, also where it cannot be taken back."""
    try:
        with backends().redis.pipeline(transaction=True) as pipe:
            commands(pipe)
            return pipe.execute()
    except RedisError:
        return None


def _key(workflow_id: UUID, direction: Direction) -> str:
    return f"flowforge:draft-{direction}:{workflow_id}"
