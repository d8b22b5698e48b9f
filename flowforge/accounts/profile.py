"""The part of an account that its owner may change, except the password (flowforge.accounts.accounts)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any
from uuid import UUID
from zoneinfo import available_timezones

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from flowforge.accounts import accounts
from flowforge.db.tables import User
from flowforge.errors import Invalid, Problem

_UNUSUAL = ("Etc/", "SystemV/", "posix/", "right/")


@cache
def time_zones() -> tuple[str, ...]:
    """The names of the time zones that people choose from, sorted."""
    return tuple(sorted(zone for zone in available_timezones() if "/" in zone and not zone.startswith(_UNUSUAL)))


def update(session: Session, user_id: UUID, raw: Mapping[str, Any]) -> User:
    """`email` and `timeZone` (empty: UTC); what is left out is kept. Commits. Raises Invalid, NotFound."""
    user = accounts.find(session, user_id)
    problems: list[Problem] = []
    if raw.get("email") is not None:
        email = raw["email"]
        problems += accounts.email_problems(email) if isinstance(email, str) else [Problem("/email", "must be a text")]
    if raw.get("timeZone") is not None and not _is_zone(raw["timeZone"]):
        problems.append(Problem("/timeZone", "must be the name of a time zone, such as Europe/Berlin"))
    if problems:
        raise Invalid(problems)
    user.email = user.email if raw.get("email") is None else raw["email"]
    user.time_zone = user.time_zone if raw.get("timeZone") is None else raw["timeZone"] or None
    try:
        session.commit()
    except IntegrityError as error:
        session.rollback()
        raise Invalid.at("/email", "is taken") from error
    return user


def profile_fields(user: User) -> dict[str, Any]:
    return {
        "id": user.id,
        "username": user.username,
        "email": user.email,
        "timeZone": user.time_zone or "UTC",
        "createdAt": user.created_at,
    }


def _is_zone(name: Any) -> bool:
    return isinstance(name, str) and (name in {"", "UTC"} or name in available_timezones())
