"""One look at a list: what is new in it becomes events, and everything is remembered, in the same transactions."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from flowforge import jsonio
from flowforge.db.engine import transaction
from flowforge.engine import intake
from flowforge.jsonio import JsonObject
from flowforge.triggers.polling import memory
from flowforge.triggers.polling.config import EventPer, PollConfig, StartWith, Watch
from flowforge.triggers.polling.firing import note_fired
from flowforge.triggers.polling.growing import beyond, highest_of
from flowforge.triggers.polling.items import Item
from flowforge.triggers.polling.memory import Memory
from flowforge.triggers.polling.poll import Poll


@dataclass(frozen=True, slots=True)
class Sighting:
    """`before`: the memory with which it was asked. `source`: a digest of what was asked. `kept`: what the action wants
    to know the next time. `began`: when it was asked."""

    poll: Poll
    config: PollConfig
    before: Memory
    source: str
    items: Sequence[Item]
    kept: JsonObject
    began: datetime

    def take(self) -> bool:
        """Accepts what is new. Returns whether some of it was left for the next poll. Raises Overtaken, ConnectorError,
        Unavailable."""
        listed = self._beyond_highest()
        with transaction(self.poll.backends.engine) as connection:
            seen = memory.seen_of(connection, self.poll.trigger.id, listed)
        new = [item for item in listed if self._is_new(item, seen)]
        if self._only_remembers(seen):
            self._end(self.before, new, listed)
            return False
        return self._fire(new, listed)

    def _beyond_highest(self) -> Sequence[Item]:
        return beyond(self.items, self.config.growing, self.before.highest) if self.config.growing else self.items

    def _is_new(self, item: Item, seen: Mapping[bytes, bytes]) -> bool:
        if item.key not in seen:
            return True
        return self.config.watch is Watch.CHANGED and seen[item.key] != item.content

    def _only_remembers(self, seen: Mapping[bytes, bytes]) -> bool:
        """At the first look, and at another list."""
        return self.config.start_with is StartWith.NEW and not self._goes_on(seen)

    def _goes_on(self, seen: Mapping[bytes, bytes]) -> bool:
        """Whether it is the list of the last look: the same is asked, something in it was seen before, or it is asked
        only for what is beyond the highest."""
        return self.before.source == self.source or bool(seen) or self._has_highest

    @property
    def _has_highest(self) -> bool:
        return self.config.growing is not None and self.before.highest is not None

    def _fire(self, new: Sequence[Item], listed: Sequence[Item]) -> bool:
        known, taken = self.before, new[: self.config.most]
        at_once = self.config.most if self.config.event_per is EventPer.POLL else self.poll.limits.items_at_once
        for start in range(0, len(taken), at_once):
            if time.monotonic() >= self.poll.deadline:
                return True
            known = self._accept(known, taken[start : start + at_once])
        if len(taken) < len(new):
            return True
        self._end(known, (), listed)
        return False

    def _accept(self, known: Memory, items: Sequence[Item]) -> Memory:
        """The durable moment of their events."""
        trigger, backends = self.poll.trigger, self.poll.backends
        with transaction(backends.engine) as connection:
            begun = replace(known, source=self.source, kept={})  # the rest is asked for in full
            moved = memory.move(connection, trigger.id, begun, items, datetime.now(UTC))
            accepted = intake.record(connection, self._events(items))
            note_fired(connection, trigger)
        intake.announce(backends.bus, accepted, inline_limit=backends.settings.payload_inline_limit)
        return moved

    def _end(self, known: Memory, new: Sequence[Item], listed: Sequence[Item]) -> None:
        """Nothing is left: from now on the list counts as seen up to here."""
        now, trigger_id = datetime.now(UTC), self.poll.trigger.id
        with transaction(self.poll.backends.engine) as connection:
            moved = memory.move(connection, trigger_id, self._seen_up_to_here(known, now), new, now)
            memory.tidy_up(connection, trigger_id, moved, listed, self.before.polled_at, now)

    def _seen_up_to_here(self, known: Memory, now: datetime) -> Memory:
        growing, highest = self.config.growing, self.before.highest
        highest = highest_of(self.items, growing, highest, now) if growing else None
        return replace(known, source=self.source, highest=highest, kept=self.kept, polled_at=self.began)

    def _events(self, items: Sequence[Item]) -> list[intake.NewEvent]:
        values = [item.value for item in items]
        if self.config.event_per is EventPer.POLL:
            return [self._event(payload_of(values))]
        return [self._event({"item": value}) for value in values]

    def _event(self, payload: Mapping[str, Any]) -> intake.NewEvent:
        trigger, type_ = self.poll.trigger, self.poll.trigger.trigger_type.lower()
        return intake.NewEvent(
            trigger_id=trigger.id,
            workflow_id=trigger.workflow_id,
            user_id=trigger.user_id,
            trigger_type=type_,
            payload=dict(payload),
            metadata={"source": type_, "polledAt": jsonio.format_time(self.began)},
        )


def payload_of(items: Sequence[Any]) -> JsonObject:
    """The payload of an event for all items of a poll."""
    return {"items": list(items), "count": len(items)}
