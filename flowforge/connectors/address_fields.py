"""Fields of configs that hold mail addresses."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema

from flowforge.connectors.config import Separated
from flowforge.mail import addresses
from flowforge.mail.addresses import Address
from flowforge.sentences import sentence

_LONGEST_SHOWN = 200


def _one(value: Any) -> Address:
    if isinstance(value, Address):
        return value
    if not isinstance(value, str):
        raise ValueError(sentence("has to be a mail address"))
    if len(list(addresses.split(value))) > 1:
        raise ValueError(
            sentence("%(value)s are several addresses, where one belongs", value=repr(value[:_LONGEST_SHOWN]))
        )
    return addresses.read(value)


def _all(value: Any) -> tuple[Address, ...]:
    """Those of a text, or of a list with one in each text and maybe lists of them; empty ones are left out."""
    if isinstance(value, str):
        return tuple(addresses.read_list(value))
    if not isinstance(value, list | tuple):
        raise ValueError(sentence("has to be addresses, as a list or separated by commas"))
    inner = [one for each in value for one in (each if isinstance(each, list | tuple) else [each])]
    return tuple(_one(each) for each in inner if each is not None and each != "")


def _one_or_none(value: Any) -> Address | None:
    return None if value is None or value == "" else _one(value)


MailAddress = Annotated[Address | None, BeforeValidator(_one_or_none), WithJsonSchema({"type": ["string", "null"]})]
"""One address; None where it is left blank."""
MailAddresses = Annotated[
    tuple[Address, ...],
    Separated(addresses.split),
    BeforeValidator(_all),
    WithJsonSchema({"type": "array", "items": {"type": "string"}}),
]
"""Addresses, of which one expression gives one, unless it gives a list."""
