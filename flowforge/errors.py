"""Errors that are shown to a person or a client. The web application maps each class to one status code, once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flowforge.sentences import Count, Sentence, joined, sentence


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with an input: a JSON pointer (RFC 6901) to the field, and a sentence about it."""

    pointer: str
    message: str

    def __str__(self) -> str:
        return str(self.in_full)

    @property
    def in_full(self) -> Sentence:
        """The message behind the pointer."""
        return joined(": ", [self.pointer, self.message] if self.pointer else [self.message])

    def under(self, prefix: str) -> Problem:
        """Move the problem's pointer below `prefix`, the object that holds this one."""
        return Problem(prefix + self.pointer, self.message)


MAX_PROBLEMS = 200
"""The most problems that are reported of one definition: nobody reads more."""


def at_most(problems: Sequence[Problem], most: int = MAX_PROBLEMS) -> list[Problem]:
    """Cut the list to the first ones, with a line that says how many more there are."""
    if len(problems) <= most:
        return list(problems)
    more = len(problems) - most + 1
    return [
        *problems[: most - 1],
        Problem("", sentence("there are %(count)s more problems; these are the first ones", count=Count(more))),
    ]


class FlowForgeError(Exception):
    """Base of the errors below; what `flowforge.sentences.message_of` finds in it is fit to be shown."""

    problems: Sequence[Problem] = ()
    """What is wrong with an input, where that is the reason."""


class NotFound(FlowForgeError):
    """Something does not exist, or belongs to another user: both look the same. (404)"""


class Invalid(FlowForgeError):
    """The input cannot be used; every problem is listed. (400)"""

    def __init__(self, problems: Sequence[Problem], message: str | None = None) -> None:
        self.problems = tuple(problems)
        super().__init__(message or joined("; ", [problem.in_full for problem in self.problems]))

    @classmethod
    def at(cls, pointer: str, message: str) -> Invalid:
        return cls([Problem(pointer, message)])


def raise_any(problems: Sequence[Problem]) -> None:
    """Raises Invalid where there are problems."""
    if problems:
        raise Invalid(problems)


class Unauthorized(FlowForgeError):
    """The caller has not proved an identity. (401)"""

    challenge: str = "Bearer"
    """How it can be proved (RFC 9110, section 11.6.1)."""


class Forbidden(FlowForgeError):
    """The caller is known, and may not do it. (403)"""


class Conflict(FlowForgeError):
    """The thing changed meanwhile, or exists already. (409)"""

    @classmethod
    def at(cls, pointer: str, message: str) -> Conflict:
        """What one field of the input meets."""
        problem = Problem(pointer, message)
        error = cls(problem.in_full)
        error.problems = (problem,)
        return error


class TooLarge(FlowForgeError):
    """More bytes than the setting allows. (413)"""


class OverQuota(FlowForgeError):
    """The account has used up what it may use. (429)"""

    def __init__(self, message: str, retry_after: int) -> None:
        self.retry_after = retry_after
        """Seconds after which trying again may help."""
        super().__init__(message)


class Unavailable(FlowForgeError):
    """A database or broker we need does not answer; trying again later may help. (503)"""


class TooMuchAtOnce(FlowForgeError):
    """A part of a batch may succeed where all of it cannot: it took longer than a statement may, or more memory than a
    process should. (503)"""


class OtherSchema(FlowForgeError):
    """The database is not as this code needs it; the message says what to do, in one sentence."""
