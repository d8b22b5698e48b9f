"""Conditions in forms: rows under `<name>.<number>`, or the whole expression under its name."""

from __future__ import annotations

from collections.abc import Mapping

from webapp.ui.conditions.reading import read_condition
from webapp.ui.conditions.rows import Group, Match, Member, Row, without_blanks
from webapp.ui.conditions.writing import write_condition

MOST_MEMBERS = 100
_DEEPEST = 1
"""Groups stand in no groups but the outermost."""

Form = Mapping[str, str]


def shown_rows(text: str, required: bool = False) -> Group | None:
    """The rows that a form draws for a condition, one at least where it is `required`; None for an expression."""
    group = read_condition(text)
    return Group("all", (Row(),)) if required and group is not None and not group.members else group


def condition_from_form(form: Form, name: str, before: str, arrange: str) -> str:
    """The condition that was filled in; as it was where nothing in it was changed, or it was not drawn. `arrange`: the
    button that was pressed, if any."""
    if name in form:
        return form[name].replace("\r\n", "\n").strip()
    if f"{name}.count" not in form:
        return before
    drawn = _group(form, name)
    arranged = _arranged(drawn, name, arrange)
    group = without_blanks(drawn) if arranged == drawn else arranged
    return before if group == read_condition(before) else write_condition(group)


def _group(form: Form, name: str, depth: int = 0) -> Group:
    match: Match = "any" if form.get(f"{name}.match") == "any" else "all"
    count = form.get(f"{name}.count", "")
    numbers = range(min(int(count), MOST_MEMBERS) if count.isdecimal() else 0)
    return Group(match, tuple(_member(form, f"{name}.{number}", depth) for number in numbers))


def _member(form: Form, name: str, depth: int) -> Member:
    if f"{name}.count" in form and depth < _DEEPEST:
        return _group(form, name, depth + 1)
    left, operator, right = (form.get(f"{name}.{part}", "") for part in ("left", "operator", "right"))
    return Row(left.strip(), operator, right.strip())


def _arranged(group: Group, name: str, arrange: str) -> Group:
    """The group after what a button does to it, or to a group inside."""
    operation, _, wanted = arrange.partition(":")
    inner = (
        _arranged(each, f"{name}.{number}", arrange) if isinstance(each, Group) else each
        for number, each in enumerate(group.members)
    )
    members = tuple(each for each in inner if isinstance(each, Row) or each.members)
    is_wanted = wanted.startswith(name)
    return Group(group.match, _changed(members, operation, wanted.removeprefix(name)) if is_wanted else members)


def _changed(members: tuple[Member, ...], operation: str, at: str) -> tuple[Member, ...]:
    """`at`: nothing, or `:` and the number of a member; anything else is about another group."""
    if operation == "add" and not at:
        return (*members, Row())
    if operation == "group" and not at:
        return (*members, Group("any", (Row(), Row())))
    if operation == "remove" and at.startswith(":") and at[1:].isdecimal():
        return tuple(each for number, each in enumerate(members) if number != int(at[1:]))
    return members
