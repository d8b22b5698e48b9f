"""Doing something to each of the things that are selected in a list."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from uuid import UUID

from flowforge.errors import Conflict, FlowForgeError, Forbidden, Invalid, NotFound
from webapp.context import session
from webapp.translation.texts import ngettext, said_by


def do_to_each(ids: Sequence[UUID], act: Callable[[UUID], object]) -> tuple[list[UUID], str]:
    """Returns those to which it was done (`act` did not return False), and in words what stood in the way of the
    others."""
    done, problems = [], []
    for id_ in ids:
        try:
            if act(id_) is not False:
                done.append(id_)
        except (Conflict, Forbidden, Invalid, NotFound) as error:
            session().rollback()
            problems.append(error)
    return done, _in_words(problems)


def _in_words(problems: Sequence[FlowForgeError]) -> str:
    if not problems:
        return ""
    return ngettext(
        "%(count)s could not be changed: %(problem)s.",
        "%(count)s could not be changed, the first of them because: %(problem)s.",
        len(problems),
        problem=said_by(problems[0]),
    )
