"""The declaration of a kind of trigger that is polled."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar

from flowforge.settings import Settings
from flowforge.triggers.kind import C, Registered, TriggerKind
from flowforge.triggers.polling.poll import Poll


class PolledKind(TriggerKind[C]):
    """A kind that looks for something new when it is due, which is at once where it is new or has changed."""

    waiting: ClassVar[str] = "what is new waits where it is"
    """The words for what becomes of that while its connection has to be signed in with again."""

    def poll(self, poll: Poll) -> bool:
        """Accepts what is new as events. Returns whether something was left for the next poll, which then comes at
        once.

        Raises Overtaken, ConnectorError, Invalid, SecretUnreadable, Unavailable.
        """
        raise NotImplementedError

    def next_poll(self, config: Mapping[str, Any], settings: Settings, now: datetime) -> datetime:
        """The time of the poll that follows one that is over at `now`; never raises."""
        del config
        return now + usual_interval(settings)

    def is_on(self, settings: Settings) -> bool:
        """Whether the operator lets triggers of this kind be polled."""
        del settings
        return True

    def due_at(self, config: Mapping[str, Any], before: Registered, now: datetime) -> datetime | None:
        return before.due_at if before.is_waiting and before.config == config else now


def usual_interval(settings: Settings) -> timedelta:
    return timedelta(milliseconds=settings.email_polling_interval)
