"""The rules for a new password: long enough, and not among what somebody who guesses tries first.

Passwords that exist already still sign in, whatever the rules say.
"""

from __future__ import annotations

from collections.abc import Sequence

from flowforge.errors import Problem
from flowforge.sentences import sentence

SHORTEST = 10
LONGEST = 256
_GUESSES = 1_000_000
"""What a guesser who knows the name and the address tries first; the common passwords, their spellings with digits for
letters, and patterns on a keyboard are all among these (zxcvbn, score 1 of 4)."""
_ESTIMATED = 72
"""zxcvbn looks at no more: a longer password is as hard to guess as its beginning, at least."""


def problems_of(password: str, pointer: str, known: Sequence[str] = ()) -> list[Problem]:
    """The problems of a new password; `known`: the name and the address of its account."""
    if not SHORTEST <= len(password) <= LONGEST:
        return [Problem(pointer, sentence("must have %(least)s to %(most)s characters", least=SHORTEST, most=LONGEST))]
    if _guesses(password, known) < _GUESSES:
        return [Problem(pointer, sentence("is too easy to guess; several unusual words are easy to remember"))]
    return []


def _guesses(password: str, known: Sequence[str]) -> float:
    from zxcvbn import zxcvbn  # brings its word lists with it: only processes that judge passwords load them

    beginning = password[:_ESTIMATED]
    parts = [part for text in known for part in (text, text.partition("@")[0]) if part]
    return float(zxcvbn(beginning, user_inputs=parts)["guesses"])
