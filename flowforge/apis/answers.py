"""What operations answer: its shape before the first run, and what errors say."""

from __future__ import annotations

from typing import Any

from flowforge.apis.operation import Operation
from flowforge.jsonio import JsonObject


def answer_shape(operation: Operation) -> JsonObject | None:
    """The schema of the body of a successful answer, with the keywords of `form_schema`; None where it has none, or the
    file does not say."""
    raise NotImplementedError


def answer_sample(operation: Operation) -> Any:
    """A body that looks like a successful answer: the file's example, or one made from the shape; None without."""
    raise NotImplementedError


def error_message(operation: Operation, status: int, body: Any) -> str:
    """What the API says about a failure, in one line, by the shape the file gives its errors, or by common ones; empty
    where it says nothing. `body` is JSON or a text."""
    raise NotImplementedError
