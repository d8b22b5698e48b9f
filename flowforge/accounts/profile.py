"""The part of an account that its owner may change, except the password (flowforge.accounts.accounts)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import TypeGuard
from uuid import UUID

from sqlalchemy.orm import Session

from flowforge.accounts import accounts, credentials, registration
from flowforge.audit.actions import Action
from flowforge.audit.recording import record
from flowforge.db.refusals import refused_as
from flowforge.db.tables import User
from flowforge.errors import Invalid, Problem, raise_any
from flowforge.languages import languages
from flowforge.sentences import sentence
from flowforge.time_zones import zone_names
from flowforge.views import view_of

_UNUSUAL = ("Etc/", "SystemV/", "posix/", "right/")


@dataclass(frozen=True, slots=True)
class Profile:
    id: UUID
    username: str
    email: str
    time_zone: str
    """By its name; UTC unless another one was chosen."""
    created_at: datetime
    language: str
    """The language of pages, by its tag; empty for the browser's."""


@dataclass(frozen=True, slots=True)
class ProfileChange:
    """What is to be changed; None is kept, an empty text is the usual: UTC, the browser's language."""

    email: object = None
    time_zone: object = None
    language: object = None

    @property
    def problems(self) -> list[Problem]:
        return [
            *_problems_of_email(self.email),
            *_problems_of_time_zone(self.time_zone),
            *_problems_of_language(self.language),
        ]


@cache
def time_zones() -> tuple[str, ...]:
    """The names of the time zones that people choose from, sorted."""
    return tuple(sorted(zone for zone in zone_names() if "/" in zone and not zone.startswith(_UNUSUAL)))


def find(session: Session, user_id: UUID) -> Profile:
    """Raises NotFound."""
    return _profile(accounts.load(session, user_id))


def changes_email(session: Session, user_id: UUID, email: object) -> bool:
    """Whether this is another address than the present one. Passwords can be reset by mail, so changing it takes the
    password. Raises NotFound."""
    return email is not None and email != accounts.load(session, user_id).email


def update(session: Session, user_id: UUID, change: ProfileChange) -> Profile:
    """Commits. Raises Invalid for what is no e-mail address, no time zone or no language, and NotFound."""
    user = accounts.load(session, user_id)
    raise_any(change.problems)
    if change.email is not None and change.email != user.email:
        record(session, Action.EMAIL_CHANGED, by=user_id)
        credentials.end_reset_links(session, user_id)  # whoever reads the old mailbox has them
    user.email = change.email if isinstance(change.email, str) else user.email
    user.time_zone = (change.time_zone or None) if isinstance(change.time_zone, str) else user.time_zone
    user.language = (change.language or None) if isinstance(change.language, str) else user.language
    with refused_as(session, Invalid.at("/email", sentence("is taken"))):
        session.commit()
    return _profile(user)


def _profile(user: User) -> Profile:
    return view_of(Profile, user, time_zone=user.time_zone or "UTC", language=user.language or "")


def _problems_of_email(email: object) -> list[Problem]:
    if email is None:
        return []
    return (
        registration.email_problems(email)
        if isinstance(email, str)
        else [Problem("/email", sentence("must be a text"))]
    )


def _problems_of_time_zone(name: object) -> list[Problem]:
    if name is None or _is_zone(name):
        return []
    return [Problem("/timeZone", sentence("must be the name of a time zone, such as Europe/Berlin"))]


def _problems_of_language(tag: object) -> list[Problem]:
    if tag is None or tag in ["", *languages()]:  # a list: what comes in may not be hashable
        return []
    return [Problem("/language", sentence("must be one of %(choices)s", choices=", ".join(languages())))]


def _is_zone(name: object) -> TypeGuard[str]:
    return isinstance(name, str) and (name in {"", "UTC"} or name in zone_names())
