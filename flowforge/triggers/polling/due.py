"""Which triggers are polled now: those that are due, in turns of the accounts that have them.

A poll that is asked for is only a hint. If it is lost, the trigger comes due again; if it runs twice, the memory that
each kind keeps lets one win.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import Connection, Select, Update, func, select, update

from flowforge.db.engine import unavailable_when_down
from flowforge.db.refused_work import refusal_of
from flowforge.db.tables import TriggerRegistration
from flowforge.fair_shares import Shares
from flowforge.triggers.kinds import polled_types
from flowforge.triggers.polling.kind import usual_interval
from flowforge.wiring import Backends

BATCH = 200
_POLLS_PER_WORKER = 6
"""Polls that wait for a worker or have one; what is due beyond that stays due, so that a newcomer waits for few."""


def take_due(backends: Backends, now: datetime, polled: Collection[UUID] = ()) -> Sequence[UUID]:
    """Due triggers, which come due again one usual interval later whatever becomes of this poll. Those whose owner's
    work is not accepted are left alone: what is new waits where it is. Those of an account that has its share of polls
    already stay due; `polled`: the triggers whose polls wait or run."""
    with unavailable_when_down(), backends.engine.begin() as connection:
        shares = Shares(backends.settings.mailbox_workers * _POLLS_PER_WORKER)
        for account in _accounts_of(connection, polled).values():
            shares.take((account,))
        due = connection.execute(_due(now, polled_types(backends.settings))).all()
        refused = [trigger_id for trigger_id, _, refusal in due if refusal is not None]
        accepted = [(trigger_id, account) for trigger_id, account, refusal in due if refusal is None]
        taken = [id_ for id_, account in accepted if id_ in polled or shares.take_if_room((account,))]
        if refused or taken:
            later = set_next_poll(now + usual_interval(backends.settings))
            connection.execute(later.where(TriggerRegistration.id.in_([*refused, *taken])))
    return taken


def may_run(backends: Backends, trigger_id: UUID, before: Sequence[UUID]) -> bool:
    """Whether the poll of a trigger is within its account's share of the workers, some of which are held by polls that
    began `before` it; otherwise the trigger is due again at once."""
    shares = Shares(backends.settings.mailbox_workers)
    with unavailable_when_down(), backends.engine.begin() as connection:
        accounts = _accounts_of(connection, [*before, trigger_id])
        for id_ in before:
            if id_ in accounts:
                shares.take_if_room((accounts[id_],))
        has_room = trigger_id not in accounts or shares.take_if_room((accounts[trigger_id],))
        if not has_room:
            connection.execute(set_next_poll(datetime.now(UTC)).where(TriggerRegistration.id == trigger_id))
    return has_room


def set_next_poll(due_at: datetime) -> Update:
    """`updated_at` stays: it records when a person changed the trigger."""
    return update(TriggerRegistration).values(next_scheduled_at=due_at, updated_at=TriggerRegistration.updated_at)


def _due(now: datetime, types: Collection[str]) -> Select[UUID, UUID, str | None]:
    """Due triggers: in turns, one of each account, then a second one."""
    trigger = TriggerRegistration
    turn = func.row_number().over(partition_by=trigger.user_id, order_by=trigger.next_scheduled_at)
    is_due = trigger.enabled, func.lower(trigger.trigger_type).in_(types), trigger.next_scheduled_at <= now
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
    if not trigger_ids:
        return {}
    trigger = TriggerRegistration
    found = connection.execute(select(trigger.id, trigger.user_id).where(trigger.id.in_(trigger_ids)))
    return dict(found.all())
