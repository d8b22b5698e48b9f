"""What operations answer: its shape before the first run, and what errors say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flowforge.apis.dialects.media_types import is_json
from flowforge.apis.operation import Answer, Operation
from flowforge.apis.samples import sample_of
from flowforge.apis.schemas.keywords import FILE, one_line
from flowforge.apis.schemas.reader import read_schema
from flowforge.apis.shapes import as_object
from flowforge.jsonio import JsonObject

_MESSAGES = (
    "message",
    "error_description",
    "errorMessage",
    "error_message",
    "detail",
    "description",
    "msg",
    "reason",
    "error",
    "title",
    "text",
    "fault",
    "faultstring",
)
"""The names under which APIs write what is wrong, the most telling first (`detail`, `title`: RFC 9457)."""
_AROUND = ("error", "errors", "fault", "details", "meta", "data", "response", "result")
_CODES = ("code", "error_code", "errorCode", "type", "status", "error")
_DEEPEST = 4
_LONGEST = 500
_MOST_TOLD = 3


def answer_shape(operation: Operation) -> JsonObject | None:
    """The schema of the body of a successful answer, with the keywords of `form_schema`; a file has `format: binary`.
    None where it has no body, or the file does not say. The result is kept and shared."""
    return operation.recent.get(("answer", operation.id), lambda: _shape(operation, success_of(operation)))


def answer_sample(operation: Operation) -> Any:
    """A body that looks like a successful answer: the file's example, or one made from the shape; None without."""
    answer = success_of(operation)
    if answer is None or answer.example is not None:
        return answer.example if answer else None
    shape = answer_shape(operation)
    return None if shape is None else sample_of(shape)


def success_of(operation: Operation) -> Answer | None:
    """The answer that tells of success: the first 2xx with a body, or `default` where no other is named."""
    good = sorted((each for each in operation.answers if each.status.startswith("2")), key=lambda each: not each.type)
    return next(iter(good), None) or _answer_of(operation, ("default",))


def signs_of_success(operation: Operation) -> Sequence[str]:
    """The fields of successful answers that can only be true, as Slack's `ok`."""
    properties = as_object(as_object(answer_shape(operation)).get("properties"))
    return [name for name, schema in properties.items() if schema.get("enum") == [True]]


def is_refusal(body: Any, signs: Sequence[str]) -> bool:
    """Whether a body that came with a status of success tells of a failure: one of the signs of success is false."""
    return isinstance(body, dict) and any(body.get(name) is False for name in signs)


def error_message(operation: Operation, status: int, body: Any) -> str:
    """What the API says about a failure, in one line, by the shape the file gives its errors, or by common ones; empty
    where it says nothing. `body` is JSON or a text."""
    if isinstance(body, str):
        return one_line(body, _LONGEST) if not body.lstrip().startswith("<") else ""
    names = [*_MESSAGES, *_names_of_shape(operation, status)]
    return one_line("; ".join(_messages(body, names, 0)[:_MOST_TOLD]), _LONGEST)


def _names_of_shape(operation: Operation, status: int) -> list[str]:
    """The texts that errors of that status have after the file: where none has a common name, the first one tells."""
    answer = _answer_of(operation, (str(status), f"{status // 100}XX", f"{status // 100}xx", "default"))
    shape = as_object(_shape(operation, answer))
    properties = as_object(shape.get("properties"))
    return [name for name, schema in properties.items() if schema.get("type") == "string"]


def _shape(operation: Operation, answer: Answer | None) -> JsonObject | None:
    if answer is None or not answer.type:
        return None
    if not is_json(answer.type):
        return {"type": "string"} if answer.type.startswith("text/") else FILE
    return None if answer.schema is None else read_schema(operation.references, answer.schema, "answer")


def _answer_of(operation: Operation, statuses: Sequence[str]) -> Answer | None:
    by_status = {answer.status: answer for answer in operation.answers}
    return next((by_status[status] for status in statuses if status in by_status), None)


def _messages(body: Any, names: Sequence[str], depth: int) -> list[str]:
    """The messages in a body, those of a list of errors one after another."""
    if depth > _DEEPEST:
        return []
    if isinstance(body, list):
        return [message for part in body[:_MOST_TOLD] for message in _messages(part, names, depth + 1)]
    if isinstance(body, str):
        return [body] if body.strip() else []
    if not isinstance(body, dict):
        return []
    own = next((body[name] for name in names if isinstance(body.get(name), str) and body[name].strip()), None)
    inside = [] if _tells(body, own) else _inside(body, names, depth)
    return inside or ([f"{own}{_code(body, own)}"] if own else [])


def _tells(body: JsonObject, own: str | None) -> bool:
    """Whether a message says more than a name for the error, of which more is said further inside."""
    return own is not None and (own != body.get("error") or " " in own.strip()) and not body.get("errors")


def _inside(body: JsonObject, names: Sequence[str], depth: int) -> list[str]:
    parts = [body[name] for name in _AROUND if isinstance(body.get(name), dict | list)]
    found = (_messages(part, names, depth + 1) for part in parts)
    return next((messages for messages in found if messages), [])


def _code(body: JsonObject, message: str) -> str:
    """The code of an error, in brackets, where the message does not have it."""
    codes = (body.get(name) for name in _CODES)
    code = next((code for code in codes if isinstance(code, str | int) and not isinstance(code, bool)), None)
    return f" ({code})" if code is not None and str(code) not in message else ""
