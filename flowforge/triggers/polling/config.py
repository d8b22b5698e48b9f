"""What a trigger says of its polls, beside the config of the action that looks."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field

from flowforge.connectors.answer_paths import AnswerPath
from flowforge.triggers.schedules.times import Minutes, Times

MOST_EVENTS = 1_000
_USUAL_MINUTES = 5
_LONGEST_PATH = 500


class Watch(StrEnum):
    """What counts as new."""

    NEW = "new"  # items that were not there before
    CHANGED = "changed"  # also those whose content is another one than before


class StartWith(StrEnum):
    """What the first poll does with the items that are there already."""

    NEW = "new"  # it remembers them
    ALL = "all"  # each counts as new


class EventPer(StrEnum):
    ITEM = "item"
    POLL = "poll"


def _require_path(text: str) -> str:
    AnswerPath.read(text)
    return text


Path = Annotated[str, Field(max_length=_LONGEST_PATH), AfterValidator(_require_path)]


class PollConfig(Times):
    usual_minutes: ClassVar[int] = _USUAL_MINUTES

    interval_minutes: Minutes = Field(
        None,
        title="Interval minutes",
        description="Checks every N minutes.",
        json_schema_extra={"default": _USUAL_MINUTES},
    )
    items: Path | None = Field(
        None, title="Where the list is", description="Path in the action's output, such as body.data."
    )
    item_id: Path | None = Field(
        None,
        title="Unique key",
        description="Path in an item, such as id. Empty: the whole item.",
    )
    watch: Watch = Field(
        Watch.NEW,
        title="Trigger on",
        description="new: items that were added; changed: also items that were modified.",
    )
    growing: Path | None = Field(
        None,
        title="Increasing field",
        description="A path in an item to a time or number: items below the highest so far are old."
        " {{ trigger.highest }} gives it to the fields above.",
    )
    start_with: StartWith = Field(
        StartWith.NEW,
        title="Start with",
        description="new: existing items are skipped at the first poll; all: they are processed.",
    )
    event_per: EventPer = Field(
        EventPer.ITEM,
        title="One execution per",
        description="item: trigger.item; poll: all of its new items together, as trigger.items.",
    )
    most: int = Field(
        MOST_EVENTS, ge=1, le=MOST_EVENTS, title="Maximum items", description="Of one poll; more wait for the next."
    )
