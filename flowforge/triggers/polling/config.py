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
        description="It looks each time so many minutes are over.",
        json_schema_extra={"default": _USUAL_MINUTES},
    )
    items: Path | None = Field(
        None, title="Where the list is", description="A path into what the action gives, such as body.data."
    )
    item_id: Path | None = Field(
        None,
        title="What tells items apart",
        description="A path in an item, such as id. Empty: its whole content.",
    )
    watch: Watch = Field(
        Watch.NEW,
        title="Starts for",
        description="new: items that were not there before; changed: also those that are not what they were.",
    )
    growing: Path | None = Field(
        None,
        title="What only grows",
        description="A path in an item to a time or number: items below the highest so far are old."
        " {{ trigger.highest }} gives it to the fields above.",
    )
    start_with: StartWith = Field(
        StartWith.NEW,
        title="Start with",
        description="new: what is there at the first poll is remembered; all: it counts as new.",
    )
    event_per: EventPer = Field(
        EventPer.ITEM,
        title="One execution per",
        description="item: trigger.item; poll: all of its new items together, as trigger.items.",
    )
    most: int = Field(
        MOST_EVENTS, ge=1, le=MOST_EVENTS, title="Items at most", description="Of one poll; more wait for the next."
    )
