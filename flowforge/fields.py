"""Fields of config models, with what a form needs to know of them besides their type."""

from __future__ import annotations

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
    group: str | None = None,
    no_expressions: str | None = None,
    **declared: Any,
) -> Any:
    """A pydantic Field. Forms draw it in the order in which it is declared; those of a group, under its name, last.

    `secret`: its text (or, in an object, its values) is sealed at rest and masked in every answer. `by_name`: so are
    the entries of an object, and the parameters of an address, that have the name of a secret (`Authorization`).
    `no_expressions`: an expression in it is refused with this advice.
    """
    about: JsonDict = {"secret": True, "writeOnly": True} if secret else {}
    about |= {"secretNames": True} if by_name else {}
    about |= {"multiline": True} if multiline else {}
    about |= {"group": group} if group else {}
    about |= {"noExpressions": no_expressions} if no_expressions else {}
    return Field(default, json_schema_extra=about or None, **declared)


def secret(default: Any = ..., **declared: Any) -> Any:
    """A field that is sealed at rest and masked in every answer."""
    return field(default, secret=True, **declared)


def is_secret(declared: FieldInfo) -> bool:
    extra = declared.json_schema_extra
    return isinstance(extra, dict) and bool(extra.get("secret"))
