"""Polling mailboxes: due ones are put on their queue, each poll is a finite job of its own.

A job is only a hint. If it is lost, the mailbox comes due again; if it runs twice, flowforge.triggers.mailbox_position
lets one win.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from redis import Redis
from rq import Queue
from rq.exceptions import DuplicateJobError, NoSuchJobError
from rq.job import Job, JobStatus
from rq.timeouts import JobTimeoutException
from sqlalchemy import Update, case, func, select, update

from flowforge.connectors.network.addresses import AddressGuard
from flowforge.db.engine import unavailable_when_down
from flowforge.db.tables import TriggerRegistration
from flowforge.errors import Invalid, Unavailable
from flowforge.secrets import SecretUnreadable
from flowforge.settings import Settings
from flowforge.triggers import failures
from flowforge.triggers.imap import MailboxTrouble, open_mailbox
from flowforge.triggers.mailbox import Mailbox, Server, StartWith
from flowforge.triggers.mailbox_position import MailTrigger, Overtaken, find
from flowforge.triggers.mailbox_reader import read_on
from flowforge.wiring import Backends

QUEUE = "mailboxes"
POLL_JOB = "workers.tasks.poll"
BATCH = 200
LONGEST_PAUSE = timedelta(minutes=30)
_JOB_KEPT_SECONDS = 3600
_TAKING_SECONDS = 15
_READING_SHARE, _CONNECTED_SHARE = 0.7, 0.85  # of the job's time limit: what is left is for saying what went wrong

log = logging.getLogger(__name__)


def enqueue_due_mailboxes(backends: Backends, connection: Redis, now: datetime | None = None) -> int:
    """Put a poll of every due mailbox on the queue, unless one waits there already; returns how many are new."""
    moment = now or datetime.now(UTC)
    if not backends.settings.email_polling_enabled:
        return 0
    queue = Queue(QUEUE, connection=connection)
    return sum(_enqueue(queue, trigger_id, backends.settings) for trigger_id in _take_due(backends, moment))


def start_unscheduled(backends: Backends, now: datetime | None = None) -> int:
    """Let polling begin for enabled mailboxes that never had a due time: those of an adopted database.

    Their owners are used to the originals, which take all unseen mail at first.
    """
    trigger = TriggerRegistration
    is_usable = func.jsonb_typeof(trigger.configuration) == "object"
    configuration = case((is_usable, trigger.configuration), else_=func.jsonb_build_object())
    adopt = (
        update(trigger)
        .where(trigger.enabled, func.lower(trigger.trigger_type) == "email", trigger.next_scheduled_at.is_(None))
        .values(
            next_scheduled_at=now or datetime.now(UTC),
            configuration=func.jsonb_build_object("startWith", StartWith.UNSEEN.value).op("||")(configuration),
            updated_at=trigger.updated_at,
        )
    )
    with unavailable_when_down(), backends.engine.begin() as connection:
        return connection.execute(adopt).rowcount


def poll_mailbox(backends: Backends, trigger_id: UUID) -> None:
    """Accept the new mails of one mailbox, and note in its trigger how that went. Raises Unavailable."""
    trigger = _load(backends, trigger_id)
    if trigger is None:
        return
    limit = backends.settings.mailbox_time_limit
    deadline = time.monotonic() + limit * _READING_SHARE
    try:
        mailbox = _mailbox(backends, trigger)
        place = find(backends.engine, trigger, mailbox)
        guard = AddressGuard(backends.settings.allowed_private_networks)
        with open_mailbox(mailbox, guard, limit * _CONNECTED_SHARE) as session:
            is_more_left = read_on(backends, trigger, mailbox, session, place, deadline)
    except Overtaken:
        log.info("Another poll of trigger %s was faster", trigger_id)
    except JobTimeoutException:
        _note_error(backends, trigger, f"a poll took longer than {limit} s")
    except (MailboxTrouble, Invalid, SecretUnreadable) as error:
        _note_error(backends, trigger, str(error))
    except Unavailable:
        raise
    except Exception:
        _note_error(backends, trigger, "the poll failed for a reason of ours; the log of the workers tells it")
        raise
    else:
        _note_success(backends, trigger, is_more_left)


def _take_due(backends: Backends, now: datetime) -> Sequence[UUID]:
    """Due mailboxes, which come due again one interval later whatever becomes of this poll."""
    trigger = TriggerRegistration
    due = (
        select(trigger.id)
        .where(trigger.enabled, func.lower(trigger.trigger_type) == "email", trigger.next_scheduled_at <= now)
        .order_by(trigger.next_scheduled_at)
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    )
    with unavailable_when_down(), backends.engine.begin() as connection:
        trigger_ids = connection.scalars(due).all()
        if trigger_ids:
            connection.execute(_next_poll(now + _interval(backends)).where(trigger.id.in_(trigger_ids)))
    return trigger_ids


def _enqueue(queue: Queue, trigger_id: UUID, settings: Settings) -> bool:
    job_id = f"mailbox-{trigger_id}"
    for _ in range(2):
        try:
            queue.enqueue_call(
                POLL_JOB,
                args=(str(trigger_id),),
                job_id=job_id,
                unique=True,
                timeout=settings.mailbox_time_limit,
                ttl=_JOB_KEPT_SECONDS,
                result_ttl=0,
                failure_ttl=_JOB_KEPT_SECONDS,
                description=f"poll the mailbox of trigger {trigger_id}",
            )
            return True
        except DuplicateJobError:
            if not _forget_ended(job_id, queue, settings):
                return False
    return False


def _forget_ended(job_id: str, queue: Queue, settings: Settings) -> bool:
    """A job that has ended, or was lost, makes room for the next one of its name; one that waits or runs does not."""
    try:
        job = Job.fetch(job_id, connection=queue.connection)
    except NoSuchJobError:
        return True
    match job.get_status(refresh=False):
        case JobStatus.QUEUED:
            is_alive = _has_place(job, queue) or not _is_silent(job, _TAKING_SECONDS)
        case JobStatus.STARTED:
            is_alive = not _is_silent(job, settings.mailbox_time_limit + _TAKING_SECONDS)
        case _:
            is_alive = False
    if not is_alive:
        job.delete()
    return not is_alive


def _has_place(job: Job, queue: Queue) -> bool:
    return queue.connection.lpos(queue.key, job.id) is not None


def _is_silent(job: Job, seconds: float) -> bool:
    """A worker took it and died."""
    last_sign = job.last_heartbeat or job.enqueued_at
    return last_sign is None or datetime.now(UTC) - last_sign > timedelta(seconds=seconds)


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
    ).where(trigger.id == trigger_id, trigger.enabled, func.lower(trigger.trigger_type) == "email")
    with unavailable_when_down(), backends.engine.connect() as connection:
        row = connection.execute(query).one_or_none()
    return MailTrigger(**row._mapping) if row else None


def _mailbox(backends: Backends, trigger: MailTrigger) -> Mailbox:
    config = trigger.configuration
    if not isinstance(config, dict):
        raise Invalid.at("/configuration", "must be an object")
    if isinstance(sealed := config.get("password"), str):
        config = config | {"password": backends.vault.open(sealed)}
    settings = backends.settings
    return Mailbox.parse(config, Server(settings.email_imap_host, settings.email_imap_port, settings.email_imap_secure))


def _note_success(backends: Backends, trigger: MailTrigger, is_more_left: bool) -> None:
    now = datetime.now(UTC)
    _note(backends, trigger, _next_poll(now if is_more_left else now + _interval(backends)).values(last_success_at=now))


def _note_error(backends: Backends, trigger: MailTrigger, message: str) -> None:
    """The longer it fails, the later the next try: half of the time it has been failing, within bounds."""
    log.warning("The mailbox of trigger %s: %s", trigger.id, message)
    now = datetime.now(UTC)
    pause = min(max(_interval(backends), (now - trigger.failing_since) / 2), LONGEST_PAUSE)
    _note(backends, trigger, _next_poll(now + pause).values(last_error=message, last_error_at=now))
    if trigger.last_error_at is None or trigger.last_error_at < trigger.failing_since:
        failures.tell(backends, trigger.workflow_id, {"id": trigger.id, "type": "email"}, message)


def _next_poll(due_at: datetime) -> Update:
    """`updated_at` stays: it tells when a person changed the trigger."""
    return update(TriggerRegistration).values(next_scheduled_at=due_at, updated_at=TriggerRegistration.updated_at)


def _note(backends: Backends, trigger: MailTrigger, outcome: Update) -> None:
    """Unless the trigger was changed meanwhile: then this outcome is about another configuration."""
    unchanged = outcome.where(
        TriggerRegistration.id == trigger.id, TriggerRegistration.updated_at == trigger.updated_at
    )
    with unavailable_when_down(), backends.engine.begin() as connection:
        connection.execute(unchanged)


def _interval(backends: Backends) -> timedelta:
    return timedelta(milliseconds=backends.settings.email_polling_interval)
