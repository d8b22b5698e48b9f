"""What a connector hands back becomes plain JSON of bounded size without secrets, or the reason why not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flowforge import jsonio
from flowforge.connectors.sdk import ConnectorError
from flowforge.secrets import mask_values

_LONGEST_REASON = 2_000


def plain_output(output: Any, action_type: str, limit: int, secrets: Sequence[str]) -> dict[str, Any]:
    """A copy that shares nothing with the connector. Raises ConnectorError, permanent, for what is no such output."""
    if not isinstance(output, Mapping):
        raise ConnectorError(f"connector {action_type} gave {type(output).__name__}, not an object", permanent=True)
    try:
        plain: dict[str, Any] = jsonio.loads(jsonio.dumps_within(output, limit, carried=True))
        masked: dict[str, Any] = mask_values(plain, secrets)
        if masked is not plain:  # a mask is longer than what it hides may be
            jsonio.dumps_within(masked, limit)
    except jsonio.TooLarge as error:
        raise ConnectorError(f"the step's output has {error}", permanent=True) from error
    except TypeError as error:
        raise ConnectorError(
            f"the step's output cannot be written as JSON: {jsonio.why_not_json(error)}", True
        ) from error
    return masked


def told(error: BaseException) -> str:
    """The error's text, fit to be stored and shown; errors of other people's connectors may hold anything."""
    try:
        text = str(error)
    except Exception as failure:  # noqa: BLE001  (whatever its __str__ does)
        text = f"(its text cannot be made: {type(failure).__name__})"
    return text[:_LONGEST_REASON].encode("utf-8", "replace").decode()
