"""Turns what a connector gives back into plain JSON of bounded size without secrets, and its errors into safe texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flowforge import exact_json, jsonio
from flowforge.connectors.sdk import ConnectorError
from flowforge.jsonio import JsonObject
from flowforge.secrets import mask_text, mask_values

_LONGEST_REASON = 1_000
_MOST_READ = 64 * 1024


def plain_output(output: Any, action_type: str, limit: int, secrets: Sequence[str]) -> JsonObject:
    """Returns a copy that shares nothing with the connector. Raises ConnectorError, permanent, for what is not a JSON
    object of at most `limit` bytes."""
    if not isinstance(output, Mapping):
        raise ConnectorError(f"connector {action_type} gave {type(output).__name__}, not an object", permanent=True)
    try:
        plain: JsonObject = jsonio.loads(jsonio.dumps_within(output, limit, carried=True))
        masked: JsonObject = mask_values(plain, secrets)
        if masked is not plain:  # a mask is longer than what it hides may be
            jsonio.dumps_within(masked, limit)
    except jsonio.TooLarge as error:
        raise ConnectorError(f"the step's output has {error}", permanent=True) from error
    except TypeError as error:
        raise ConnectorError(
            f"the step's output cannot be written as JSON: {jsonio.why_not_json(error)}", True
        ) from error
    return masked


def error_text(error: BaseException, secrets: Sequence[str]) -> str:
    """The error's text in one line, fit to be stored and shown; that of a foreign connector may hold anything."""
    try:
        text = str(error)
    except Exception as failure:  # noqa: BLE001  (whatever its __str__ does)
        text = f"(its text cannot be made: {type(failure).__name__})"
    masked = mask_text(exact_json.without_halves(text[:_MOST_READ]), secrets)
    line = " ".join(masked.split())  # only now: a secret that is cut, or has other spaces, would not have been found
    return line if len(line) <= _LONGEST_REASON else f"{line[:_LONGEST_REASON]}…"
