"""Running one poll, and what it leaves in the trigger's row."""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Update, select

from flowforge.connectors.sdk import ConnectionBroken, ConnectorError
from flowforge.db.engine import unavailable_when_down
from flowforge.db.tables import TriggerRegistration
from flowforge.engine.account_access import AccountAccess
from flowforge.engine.step_output import error_text
from flowforge.errors import Invalid, Unavailable
from flowforge.secrets import SecretUnreadable
from flowforge.triggers import failures
from flowforge.triggers.kinds import find_polled_kind
from flowforge.triggers.polling.due import set_next_poll
from flowforge.triggers.polling.kind import PolledKind, usual_interval
from flowforge.triggers.polling.poll import POLL_LIMITS, Overtaken, Poll, PolledTrigger, PollLimits
from flowforge.wiring import Backends

LONGEST_PAUSE = timedelta(minutes=30)

log = logging.getLogger(__name__)


def run_poll(
    backends: Backends, trigger_id: UUID, time_over: type[Exception], limits: PollLimits = POLL_LIMITS
) -> None:
    """Accept what is new for one trigger, and note in it how that went. Raises Unavailable.

    `time_over`: what the host raises in a poll that takes longer than its limit.
    """
    trigger = _load(backends, trigger_id)
    kind = find_polled_kind(trigger.trigger_type) if trigger else None
    if trigger is None or kind is None:
        return
    limit, began = backends.settings.mailbox_time_limit, time.monotonic()
    access = AccountAccess(backends, trigger.user_id, began + limit * limits.connected_share)
    poll = Poll(backends, trigger, access, began + limit * limits.reading_share, limits)
    try:
        is_more_left = kind.poll(poll)
    except Overtaken:
        log.info("Another poll of trigger %s was faster, or it was changed", trigger_id)
    except time_over:
        _note_error(poll, kind, f"a poll took longer than {limit} s")
    except ConnectionBroken as error:
        _note_error(poll, kind, f"{error_text(error, access.secrets)}; until then {kind.waiting}", told_elsewhere=True)
    except ConnectorError as error:
        _note_error(poll, kind, error_text(error, access.secrets), retry_after=error.retry_after)
    except (Invalid, SecretUnreadable) as error:
        _note_error(poll, kind, error_text(error, access.secrets))
    except Unavailable:
        raise
    except Exception:
        _note_error(poll, kind, "the poll failed for a reason of ours; the log of the workers tells it")
        raise
    else:
        _note_success(poll, kind, is_more_left)


def _load(backends: Backends, trigger_id: UUID) -> PolledTrigger | None:
    trigger = TriggerRegistration
    query = select(
        trigger.id,
        trigger.workflow_id,
        trigger.user_id,
        trigger.trigger_type,
        trigger.configuration,
        trigger.created_at,
        trigger.updated_at,
        trigger.last_success_at,
        trigger.last_error_at,
    ).where(trigger.id == trigger_id, trigger.enabled)
    with unavailable_when_down(), backends.engine.connect() as connection:
        row = connection.execute(query).one_or_none()
    return PolledTrigger(**row._mapping) if row else None


def _note_success(poll: Poll, kind: PolledKind[Any], is_more_left: bool) -> None:
    now = datetime.now(UTC)
    due_at = now if is_more_left else _next(poll, kind, now)
    _note(poll, set_next_poll(due_at).values(last_success_at=now))


def _note_error(
    poll: Poll, kind: PolledKind[Any], message: str, *, told_elsewhere: bool = False, retry_after: float | None = None
) -> None:
    """The longer it fails, the later the next try: half of the time it has been failing, within bounds; and not before
    the service wants it.

    `told_elsewhere`: the owner is told of it without the trigger's doing.
    """
    trigger, now = poll.trigger, datetime.now(UTC)
    log.warning("The poll of trigger %s: %s", trigger.id, message)
    pause = max(usual_interval(poll.backends.settings), (now - trigger.failing_since) / 2)
    pause = min(max(pause, timedelta(seconds=retry_after or 0)), LONGEST_PAUSE)
    _note(poll, set_next_poll(now + pause).values(last_error=message, last_error_at=now))
    is_new = trigger.last_error_at is None or trigger.last_error_at < trigger.failing_since
    if is_new and not told_elsewhere:
        failures.report(poll.backends, trigger.workflow_id, {"id": trigger.id, "type": kind.type}, message)


def _next(poll: Poll, kind: PolledKind[Any], now: datetime) -> datetime:
    return kind.next_poll(poll.trigger.config, poll.backends.settings, now)


def _note(poll: Poll, outcome: Update) -> None:
    """Store the outcome, unless the trigger was changed meanwhile: then it is about another configuration."""
    trigger = TriggerRegistration
    unchanged = outcome.where(trigger.id == poll.trigger.id, trigger.updated_at == poll.trigger.updated_at)
    with unavailable_when_down(), poll.backends.engine.begin() as connection:
        connection.execute(unchanged)
