"""Checks a value against a JSON Schema; nothing that a schema refers to is loaded."""

from __future__ import annotations

from itertools import islice
from typing import Any

from jsonschema.exceptions import SchemaError, ValidationError
from jsonschema.validators import Draft202012Validator, validator_for
from referencing import Registry
from referencing.exceptions import Unresolvable

from flowforge.connectors.programs import limits

_MOST_ERRORS = 100
_LONGEST_MESSAGE = 500


def work(request: dict[str, Any]) -> None:
    kind = validator_for(request["schema"], default=Draft202012Validator)
    try:
        kind.check_schema(request["schema"])
        found = kind(request["schema"], registry=Registry()).iter_errors(request["value"])
        limits.answer_each([*map(_told, islice(found, _MOST_ERRORS))])
    except SchemaError as error:
        raise ValueError(f"the schema is wrong at {_path(error)}: {error.message[:_LONGEST_MESSAGE]}") from error
    except Unresolvable as error:
        raise ValueError(f"the schema refers to what is not in it: {str(error.ref)[:_LONGEST_MESSAGE]}") from error


def _told(error: ValidationError) -> dict[str, str]:
    return {"path": _path(error), "message": error.message[:_LONGEST_MESSAGE]}


def _path(error: Any) -> str:
    """As a JSON pointer."""
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in error.absolute_path) or "/"


if __name__ == "__main__":
    limits.run(work)
