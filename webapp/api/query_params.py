"""Query parameters, read strictly: what is there and cannot be read is refused with Invalid, which names it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import TypeVar
from uuid import UUID

from flask import request

from flowforge import jsonio
from flowforge.errors import Invalid

Choice = TypeVar("Choice", bound=StrEnum)


def flag(name: str, default: bool = False) -> bool:
    text = request.args.get(name, str(default)).lower()
    if text not in ("true", "false"):
        raise Invalid.at(f"/{name}", "must be true or false")
    return text == "true"


def uuid(name: str) -> UUID | None:
    text = request.args.get(name, "")
    try:
        return UUID(text) if text else None
    except ValueError as error:
        raise Invalid.at(f"/{name}", "is not a UUID") from error


def instant(name: str) -> datetime | None:
    text = request.args.get(name, "")
    try:
        return jsonio.parse_time(text) if text else None
    except ValueError as error:
        raise Invalid.at(f"/{name}", "is not an ISO-8601 time") from error


def one_of(choices: type[Choice], name: str) -> Choice | None:
    """In upper or lower case."""
    text = request.args.get(name, "").upper()
    try:
        return choices(text) if text else None
    except ValueError as error:
        raise Invalid.at(f"/{name}", f"must be one of {', '.join(choices)}") from error
