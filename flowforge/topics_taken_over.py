"""`python -m flowforge take-over`: where our consumer groups begin in the topics of another installation."""

from __future__ import annotations

import logging
from contextlib import closing

from flowforge.bus.former_groups import GroupStart, OthersAtWork
from flowforge.embedded.server import CannotStart
from flowforge.errors import Unavailable
from flowforge.settings import Settings
from flowforge.wiring import Backends

log = logging.getLogger(__name__)

_PROCESS = "flowforge-take-over"
_NO_KAFKA = "KAFKA_BROKERS is not set: there are no topics to take over."


def begin_where_they_stood(settings: Settings) -> None:
    """Moves our groups to where the former ones stood, before any process of ours has read. Raises Unavailable."""
    if settings.kafka_brokers:
        with closing(Backends(settings, _PROCESS)) as backends:
            backends.kafka.begin_where_they_stood()


def refuse_rivals(settings: Settings) -> None:
    """Raises CannotStart where another installation is at work on our Kafka. A Kafka that does not answer yet is asked
    again by whoever reads it."""
    if not settings.kafka_brokers:
        return
    with closing(Backends(settings, _PROCESS)) as backends:
        try:
            backends.kafka.refuse_rivals()
        except OthersAtWork as error:
            raise CannotStart(str(error)) from error
        except Unavailable as error:
            log.info("Not asked whether another installation is at work: %s", error)


def report(settings: Settings) -> tuple[str, bool]:
    """Tells where each group begins, and whether nothing will be read that others have read. Raises Unavailable."""
    if not settings.kafka_brokers:
        return _NO_KAFKA, True
    with closing(Backends(settings, _PROCESS)) as backends:
        starts = backends.kafka.group_starts()
    lines = [_row("topic", "group", "begins", "read again", "still to read"), *(_line(start) for start in starts)]
    return "\n".join(lines), not any(_may_be_read_again(start) for start in starts)


def _line(start: GroupStart) -> str:
    again = str(start.read_again)
    if _begins_blindly(start) and start.unread:
        again = f"up to {start.unread}"
    return _row(start.topic, start.group, _begins(start), again, str(start.unread))


def _begins(start: GroupStart) -> str:
    if start.has_begun:
        return "where it stands itself"
    return "where the others stood" if start.follows_others else "at the first message"


def _begins_blindly(start: GroupStart) -> bool:
    """Whether nobody is known who has read the topic before."""
    return not start.has_begun and not start.follows_others


def _may_be_read_again(start: GroupStart) -> bool:
    return start.read_again > 0 or (_begins_blindly(start) and start.unread > 0)


def _row(topic: str, group: str, begins: str, again: str, unread: str) -> str:
    return f"{topic:<18}{group:<25}{begins:<24}{again:>14}{unread:>15}"
