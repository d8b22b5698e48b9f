"""Check of a connection that a config names: whether it exists, and is of a kind that is taken."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from flowforge.language.evaluation.names import hint, quoted


def problem_of_connection(name: object, taken: Collection[str], types: Mapping[str, str], whose: str) -> str | None:
    """What is wrong with the name; None where nothing is. `taken`: the types that the one whose config it is takes;
    `types`: those of the account's connections, by their names."""
    if not isinstance(name, str) or name not in types:
        fitting = [other for other, type_ in types.items() if type_ in taken]
        return f"there is no connection {quoted(str(name))}{hint(str(name), fitting)}"
    if types[name] not in taken:
        return f"{quoted(name)} is a connection of the type {types[name]}; this {whose} needs {' or '.join(taken)}"
    return None
