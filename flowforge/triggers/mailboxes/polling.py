"""Polling mailboxes: which are due, and what a poll leaves in the trigger's row.

A poll that is asked for is only a hint. If it is lost, the mailbox comes due again; if it runs twice,
flowforge.triggers.mailboxes.position lets one win.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection, Select, Update, case, func, select, update

from flowforge.connectors.sdk import ConnectionBroken, ConnectorError
from flowforge.db.engine import unavailable_when_down
from flowforge.db.refused_work import refusal_of
from flowforge.db.tables import TriggerRegistration
from flowforge.engine.account_access import AccountAccess
from flowforge.engine.step_output import error_text
from flowforge.errors import Invalid, Unavailable
from flowforge.fair_shares import Shares
from flowforge.secrets import SecretUnreadable
from flowforge.triggers import failures
from flowforge.triggers.kinds.email import EMAIL, KIND
from flowforge.triggers.mailboxes.mailbox import Mailbox, StartWith
from flowforge.triggers.mailboxes.position import MailTrigger, Overtaken, find
from flowforge.triggers.mailboxes.reader import POLL_LIMITS, PollLimits, read_on
from flowforge.wiring import Backends

BATCH = 200
_POLLS_PER_WORKER = 6
"""Polls that wait for a worker or have one; what is due beyond that stays due, so that a newcomer waits for few."""
LONGEST_PAUSE = timedelta(minutes=30)

log = logging.getLogger(__name__)


def take_due(backends: Backends, now: datetime, polled: Collection[UUID] = ()) -> Sequence[UUID]:
    """Due mailboxes, which come due again one interval later whatever becomes of this poll. Those whose owner's work is
    not accepted are left alone: their mails wait where they are. Those of an account that has its share of polls
    already stay due; `polled`: the mailboxes whose polls wait or run."""
    with unavailable_when_down(), backends.engine.begin() as connection:
        shares = Shares(backends.settings.mailbox_workers * _POLLS_PER_WORKER)
        for account in _accounts_of(connection, polled).values():
            shares.take((account,))
        due = connection.execute(_due(now)).all()
        refused = [trigger_id for trigger_id, _, refusal in due if refusal is not None]
        accepted = [(trigger_id, account) for trigger_id, account, refusal in due if refusal is None]
        taken = [id_ for id_, account in accepted if id_ in polled or shares.take_if_room((account,))]
        if refused or taken:
            later = _next_poll(now + _interval(backends))
            connection.execute(later.where(TriggerRegistration.id.in_([*refused, *taken])))
    return taken


def may_run(backends: Backends, trigger_id: UUID, before: Sequence[UUID]) -> bool:
    """Whether the poll of a mailbox is within its account's share of the workers, some of which are held by polls that
    began `before` it; otherwise the mailbox is due again at once."""
    shares = Shares(backends.settings.mailbox_workers)
    with unavailable_when_down(), backends.engine.begin() as connection:
        accounts = _accounts_of(connection, [*before, trigger_id])
        for id_ in before:
            if id_ in accounts:
                shares.take_if_room((accounts[id_],))
        has_room = trigger_id not in accounts or shares.take_if_room((accounts[trigger_id],))
        if not has_room:
            connection.execute(_next_poll(datetime.now(UTC)).where(TriggerRegistration.id == trigger_id))
    return has_room


def start_unscheduled(backends: Backends, now: datetime | None = None) -> int:
    """Let polling begin for enabled mailboxes that never had a due time: those of an adopted database.

    Their owners are used to the originals, which take all unseen mail at first.
    """
    trigger = TriggerRegistration
    is_usable = func.jsonb_typeof(trigger.configuration) == "object"
    configuration = case((is_usable, trigger.configuration), else_=func.jsonb_build_object())
    adopt = (
        update(trigger)
        .where(trigger.enabled, func.lower(trigger.trigger_type) == EMAIL, trigger.next_scheduled_at.is_(None))
        .values(
            next_scheduled_at=now or datetime.now(UTC),
            configuration=func.jsonb_build_object("startWith", StartWith.UNSEEN.value).op("||")(configuration),
            updated_at=trigger.updated_at,
        )
    )
    with unavailable_when_down(), backends.engine.begin() as connection:
        return connection.execute(adopt).rowcount


def poll(backends: Backends, trigger_id: UUID, time_over: type[Exception], limits: PollLimits = POLL_LIMITS) -> None:
    """Accept the new mails of one mailbox, and note in its trigger how that went. Raises Unavailable.

    `time_over`: what the host raises in a poll that takes longer than its limit.
    """
    trigger = _load(backends, trigger_id)
    if trigger is None:
        return
    limit, began = backends.settings.mailbox_time_limit, time.monotonic()
    access = AccountAccess(backends, trigger.user_id, began + limit * limits.connected_share)
    try:
        mailbox = _mailbox(trigger, access)
        position = find(backends.engine, trigger, mailbox)
        with backends.tools.mail.open_folder(mailbox.account, mailbox.folder, access.deadline) as folder:
            until = began + limit * limits.reading_share
            is_more_left = read_on(backends, trigger, mailbox, folder, position, until, limits)
    except Overtaken:
        log.info("Another poll of trigger %s was faster", trigger_id)
    except time_over:
        _note_error(backends, trigger, f"a poll took longer than {limit} s")
    except ConnectionBroken as error:
        _note_error(backends, trigger, f"{error}; until then the mails wait in the mailbox", told_elsewhere=True)
    except (ConnectorError, Invalid, SecretUnreadable) as error:
        _note_error(backends, trigger, error_text(error, access.secrets))
    except Unavailable:
        raise
    except Exception:
        _note_error(backends, trigger, "the poll failed for a reason of ours; the log of the workers tells it")
        raise
    else:
        _note_success(backends, trigger, is_more_left)


def _due(now: datetime) -> Select[UUID, UUID, str | None]:
    """Due mailboxes: in turns, one of each account, then a second one."""
    trigger = TriggerRegistration
    turn = func.row_number().over(partition_by=trigger.user_id, order_by=trigger.next_scheduled_at)
    is_due = trigger.enabled, func.lower(trigger.trigger_type) == EMAIL, trigger.next_scheduled_at <= now
    turns = select(trigger.id, turn.label("turn")).where(*is_due).subquery()
    return (
        select(trigger.id, trigger.user_id, refusal_of(trigger.user_id))
        .join(turns, turns.c.id == trigger.id)
        .where(*is_due)
        .order_by(turns.c.turn, trigger.next_scheduled_at)
        .limit(BATCH)
        .with_for_update(of=trigger, skip_locked=True)
    )


def _accounts_of(connection: Connection, trigger_ids: Collection[UUID]) -> dict[UUID, UUID]:
    trigger = TriggerRegistration
    found = connection.execute(select(trigger.id, trigger.user_id).where(trigger.id.in_(trigger_ids)))
    return dict(found.all())


def _load(backends: Backends, trigger_id: UUID) -> MailTrigger | None:
    trigger = TriggerRegistration
    query = select(
        trigger.id,
        trigger.workflow_id,
        trigger.user_id,
        trigger.configuration,
        trigger.created_at,
        trigger.updated_at,
        trigger.last_success_at,
        trigger.last_error_at,
    ).where(trigger.id == trigger_id, trigger.enabled, func.lower(trigger.trigger_type) == EMAIL)
    with unavailable_when_down(), backends.engine.connect() as connection:
        row = connection.execute(query).one_or_none()
    return MailTrigger(**row._mapping) if row else None


def _mailbox(trigger: MailTrigger, access: AccountAccess) -> Mailbox:
    config = trigger.configuration
    if not isinstance(config, dict):
        raise Invalid.at("/configuration", "must be an object")
    if isinstance(sealed := config.get("password"), str):
        config = config | {"password": access.backends.vault.open(sealed)}
    return KIND.read(config).mailbox(access)


def _note_success(backends: Backends, trigger: MailTrigger, is_more_left: bool) -> None:
    now = datetime.now(UTC)
    _note(backends, trigger, _next_poll(now if is_more_left else now + _interval(backends)).values(last_success_at=now))


def _note_error(backends: Backends, trigger: MailTrigger, message: str, *, told_elsewhere: bool = False) -> None:
    """The longer it fails, the later the next try: half of the time it has been failing, within bounds.

    `told_elsewhere`: the owner is told of it without the trigger's doing.
    """
    log.warning("The mailbox of trigger %s: %s", trigger.id, message)
    now = datetime.now(UTC)
    pause = min(max(_interval(backends), (now - trigger.failing_since) / 2), LONGEST_PAUSE)
    _note(backends, trigger, _next_poll(now + pause).values(last_error=message, last_error_at=now))
    is_new = trigger.last_error_at is None or trigger.last_error_at < trigger.failing_since
    if is_new and not told_elsewhere:
        failures.report(backends, trigger.workflow_id, {"id": trigger.id, "type": EMAIL}, message)


def _next_poll(due_at: datetime) -> Update:
    """`updated_at` stays: it records when a person changed the trigger."""
    return update(TriggerRegistration).values(next_scheduled_at=due_at, updated_at=TriggerRegistration.updated_at)


def _note(backends: Backends, trigger: MailTrigger, outcome: Update) -> None:
    """Store the outcome, unless the trigger was changed meanwhile: then it is about another configuration."""
    unchanged = outcome.where(
        TriggerRegistration.id == trigger.id, TriggerRegistration.updated_at == trigger.updated_at
    )
    with unavailable_when_down(), backends.engine.begin() as connection:
        connection.execute(unchanged)


def _interval(backends: Backends) -> timedelta:
    return timedelta(milliseconds=backends.settings.email_polling_interval)
