"""The declaration by which an action that reads is a trigger, too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flowforge.jsonio import JsonObject


@dataclass(frozen=True)
class Polls:
    """The action is run again and again, and what is new in the list that it gives starts the workflow. What is given
    here holds where the trigger's config says nothing else."""

    title: str
    """The title of the trigger: `New mail in Gmail`."""
    help: str
    items: str = ""
    """The path to the list in the output; empty where the config has to say it."""
    item_id: str = ""
    """The path, in an item, to what tells it from all others; empty where that is all of its content."""
    growing: str = ""
    """The path, in an item, to a time or number that is never lower than in the items before it."""
    ignored: tuple[str, ...] = ()
    """Fields of an item that are no part of its content, such as its place in the list."""
    newest_first: bool = False
    """Whether the list begins with the newest; events are in the order in which things came."""
    fixed: Mapping[str, Any] = field(default_factory=dict)
    """Fields of the action's config that always have the same value in a trigger."""
    sample: JsonObject = field(default_factory=dict)
    """An item as it may be."""


@dataclass(slots=True)
class Recall:
    """What an action that is polled keeps from one time to the next, such as the ETag of what it has read."""

    before: JsonObject = field(default_factory=dict)
    """What it has kept the last time; empty where nothing was asked before, or something else."""
    kept: JsonObject = field(default_factory=dict)
    """What it is to have the next time."""
    is_unchanged: bool = False
    """Whether all is as it was the last time, so that it has given no list."""
