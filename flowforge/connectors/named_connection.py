"""Check of a connection that a config names: whether it exists, and is of a kind that is taken."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from flowforge.language.evaluation.names import hint, quoted
from flowforge.sentences import either, sentence


def problem_of_connection(name: object, taken: Collection[str], types: Mapping[str, str], whose: str) -> str | None:
    """What is wrong with the name; None where nothing is. `taken`: the types that the one whose config it is takes;
    `types`: those of the account's connections, by their names."""
    if not isinstance(name, str) or name not in types:
        fitting = [other for other, type_ in types.items() if type_ in taken]
        return sentence(
            "there is no connection %(name)s%(hint)s", name=quoted(str(name)), hint=hint(str(name), fitting)
        )
    if types[name] not in taken:
        return sentence(
            "%(name)s is a connection of the type %(type)s; this %(whose)s needs %(choices)s",
            name=quoted(name),
            type=types[name],
            whose=whose,
            choices=either(taken),
        )
    return None
