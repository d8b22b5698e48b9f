"""Fields of config models, with what a form needs to know of them besides their type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import Field
from pydantic.config import JsonDict
from pydantic.fields import FieldInfo


def field(
    default: Any = ...,
    *,
    secret: bool = False,
    by_name: bool = False,
    multiline: bool = False,
    language: str | None = None,
    group: str | None = None,
    no_expressions: str | None = None,
    labels: Mapping[str, str] | None = None,
    only_for: Sequence[str] = (),
    required_for: Sequence[str] = (),
    unary: Sequence[str] = (),
    **declared: Any,
) -> Any:
    """A pydantic Field. Forms draw it in the order in which it is declared; those of a group, under its name, last.

    `secret`: its text (or, in an object, its values) is sealed at rest and masked in every answer. `by_name`: so
    are the entries of an object, and the parameters of an address, that have the name of a secret
    (`Authorization`). `language`: it is code, and that field says in which language. `no_expressions`: an
    expression in it is refused with this advice. `labels`: the names of its choices for people. `only_for`,
    `required_for`: the choices with which it has a meaning, or has to be given, in a model that has a
    `discriminator` (`chosen_by`): forms draw it for these alone. `unary`: of operators, those that compare with
    nothing: forms hide the field that comes next for them.
    """
    about: JsonDict = {"secret": True, "writeOnly": True} if secret else {}
    about |= {"secretNames": True} if by_name else {}
    about |= {"multiline": True} if multiline else {}
    about |= {"language": language} if language else {}
    about |= {"group": group} if group else {}
    about |= {"noExpressions": no_expressions} if no_expressions else {}
    about |= {"labels": dict(labels)} if labels else {}
    about |= {"onlyFor": list(only_for)} if only_for else {}
    about |= {"requiredFor": list(required_for)} if required_for else {}
    about |= {"unary": list(unary)} if unary else {}
    return Field(default, json_schema_extra=about or None, **declared)


def secret(default: Any = ..., **declared: Any) -> Any:
    """A field that is sealed at rest and masked in every answer."""
    return field(default, secret=True, **declared)


def chosen_by(name: str) -> JsonDict:
    """Extra keys for the schema of a model: the field whose choice says which of the others have a meaning."""
    return {"discriminator": {"propertyName": name}}


def is_secret(declared: FieldInfo) -> bool:
    extra = declared.json_schema_extra
    return isinstance(extra, dict) and bool(extra.get("secret"))
