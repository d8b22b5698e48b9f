"""Problems of a form, for the page that shows it again."""

from __future__ import annotations

from collections.abc import Iterable

from flowforge.errors import Problem
from webapp.translation.texts import said


def by_field(problems: Iterable[Problem]) -> dict[str, str]:
    """Returns what is wrong with each field, by its name."""
    return {problem.pointer.removeprefix("/"): said(problem.message) for problem in problems}
