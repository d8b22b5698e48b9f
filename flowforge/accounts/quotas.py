"""Quotas: what an account may use. The settings say it for all, an administrator for one."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, replace
from uuid import UUID

from pydantic.alias_generators import to_camel
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from flowforge.audit.actions import Action
from flowforge.audit.recording import record
from flowforge.db.tables import QuotaRow, User
from flowforge.errors import NotFound, Problem, raise_any
from flowforge.sentences import sentence
from flowforge.settings import Settings
from flowforge.views import view_of

_LARGEST = {
    "workflows": 2**31 - 1,
    "executions_a_day": 2**31 - 1,
    "bytes": 2**63 - 1,
    "mails_a_day": 2**31 - 1,
    "file_bytes": 2**63 - 1,
    "table_rows": 2**63 - 1,
    "table_bytes": 2**63 - 1,
}


@dataclass(frozen=True, slots=True)
class Quotas:
    """None: as the settings say; 0: any number."""

    workflows: int | None = None
    executions_a_day: int | None = None
    bytes: int | None = None
    mails_a_day: int | None = None
    """By the instance's own server, each recipient counted (flowforge.db.mail_allowance_store)."""
    file_bytes: int | None = None
    """Of all files together (flowforge.db.files_store)."""
    table_rows: int | None = None
    """Of all data tables together, with the keys that are remembered (flowforge.db.data_tables_store)."""
    table_bytes: int | None = None


def of_settings(settings: Settings) -> Quotas:
    return Quotas(
        settings.quota_workflows,
        settings.quota_executions_a_day,
        settings.quota_bytes,
        settings.quota_mails_a_day,
        settings.quota_file_bytes,
        settings.quota_table_rows,
        settings.quota_table_bytes,
    )


def own_of(session: Session, user_ids: Collection[UUID]) -> Mapping[UUID, Quotas]:
    """Returns the quotas that an administrator has set for these accounts, by account."""
    rows = session.scalars(select(QuotaRow).where(QuotaRow.user_id.in_(user_ids)))
    found = {row.user_id: view_of(Quotas, row) for row in rows}
    return {user_id: found.get(user_id, Quotas()) for user_id in user_ids}


def in_force(settings: Settings, own_quotas: Quotas) -> Quotas:
    """Returns the quotas that count for an account with these quotas of its own."""
    own = {name: value for name, value in asdict(own_quotas).items() if value is not None}
    return replace(of_settings(settings), **own)


def set_own(session: Session, user_id: UUID, quotas: Quotas) -> None:
    """Commits; within seconds it counts (flowforge.accounts.usage). Raises Invalid, and NotFound for an account that
    does not exist."""
    values = asdict(quotas)
    raise_any([Problem(f"/{to_camel(name)}", _words(name)) for name, value in values.items() if not _fits(name, value)])
    if session.get(User, user_id) is None:
        raise NotFound(sentence("there is no such account"))
    stored = insert(QuotaRow).values(user_id=user_id, **values)
    session.execute(stored.on_conflict_do_update(index_elements=[QuotaRow.user_id], set_=values))
    record(session, Action.QUOTAS_CHANGED, account=user_id, **values)
    session.commit()


def _fits(name: str, value: int | None) -> bool:
    return value is None or 0 <= value <= _LARGEST[name]


def _words(name: str) -> str:
    return sentence("must be a whole number from 0 to %(most)s", most=_LARGEST[name])
