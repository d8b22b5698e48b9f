"""Checks a value against a JSON Schema; nothing that a schema refers to is loaded."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Any, NoReturn

import jsonschema_rs

from flowforge.connectors.programs import limits

_MOST_ERRORS = 100
_LONGEST_MESSAGE = 500


def work(request: dict[str, Any]) -> None:
    try:
        validator = jsonschema_rs.validator_for(request["schema"], retriever=_refuse)
    except jsonschema_rs.ValidationError as error:
        message = f"the schema is wrong at {_pointer(error.instance_path)}: {error.message[:_LONGEST_MESSAGE]}"
        raise ValueError(message) from error
    limits.answer_each([*map(_told, islice(validator.iter_errors(request["value"]), _MOST_ERRORS))])


def _refuse(address: str) -> NoReturn:
    raise ValueError("a schema may refer to its own parts only")


def _told(error: jsonschema_rs.ValidationError) -> dict[str, str]:
    return {"path": _pointer(error.instance_path), "message": error.message[:_LONGEST_MESSAGE]}


def _pointer(path: Sequence[str | int]) -> str:
    """As RFC 6901 has it; `/` for the value itself."""
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in path) or "/"


if __name__ == "__main__":
    limits.run(work)
