"""How the pages look to somebody: their theme, and how much stands on one screen."""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID

from sqlalchemy.orm import Session

from flowforge.accounts import accounts
from flowforge.errors import Invalid, Problem
from flowforge.sentences import sentence


class Theme(StrEnum):
    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"


class Density(StrEnum):
    COMFORTABLE = "comfortable"
    COMPACT = "compact"


def choose(session: Session, user_id: UUID, theme: str, density: str) -> None:
    """Keep what somebody has chosen. Commits. Raises Invalid, NotFound."""
    wrong = [*_problems("/theme", theme, Theme), *_problems("/density", density, Density)]
    if wrong:
        raise Invalid(wrong)
    user = accounts.load(session, user_id)
    user.theme, user.density = theme, density
    session.commit()


def _problems(pointer: str, chosen: str, kind: type[Theme | Density]) -> list[Problem]:
    return (
        []
        if chosen in set(kind)
        else [Problem(pointer, sentence("must be one of %(choices)s", choices=", ".join(kind)))]
    )
