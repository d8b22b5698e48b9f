"""Expressions in configurations: resolving them when a step runs, finding their references when a workflow is saved.

    resolve({"to": "{{ trigger.body.email | lower }}"}, scope, step="notify")

The scope has the roots `trigger`, `steps`, `workflow`, `execution`, `now` and `vars`; the caller fills it. `steps`
holds each output under `step_<index>` and under the step's own id (`Plan.outputs` does that).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flowforge.errors import FlowForgeError
from flowforge.jsonio import JsonObject
from flowforge.language.evaluation.meter import (
    EXPRESSIONS_OF_A_STEP,
    UTC_NAME,
    Allowance,
    FileAccess,
    Meter,
)
from flowforge.language.evaluation.names import Hints
from flowforge.language.expressions.template import CLOSE, OPEN, Expression, TemplateFailure, readings, template
from flowforge.language.pointers import Part, dotted, pointer
from flowforge.sentences import joined, sentence

VARIABLES = "vars"
"""The root of the account's settings."""
ROOTS = ("trigger", "steps", "workflow", "execution", "now", VARIABLES)

_TEXT_SHOWN = 120
_QUOTED = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"", re.DOTALL)


class ExpressionError(FlowForgeError):
    """An expression cannot be read or has no value. Its text names step, field, reason and the expression."""

    def __init__(self, step: str, field: str, message: str, text: str, source: str = "", blamed: str = "") -> None:
        self.step = step
        self.field = field
        self.message = message
        self.text = text
        self.source = source
        """The expression as it is written; `blamed`: the name in it that is wrong, where it is one."""
        self.blamed = blamed
        where = sentence("step '%(step)s'", step=step)
        place = joined(", ", [where, field] if field else [where])
        why = sentence("%(why)s (in %(text)s)", why=message, text=text) if text else message
        super().__init__(joined(": ", [place, why]))

    def span_in(self, text: str) -> tuple[int, int] | None:
        """Find the characters of a text that are to blame: a name, or else the whole expression. None where it cannot
        be told."""
        start = text.find(f"{OPEN}{self.source}{CLOSE}") + len(OPEN) if self.source else 0
        if start < len(OPEN):
            return None
        first, last = _span_of(self.blamed, self.source)
        return start + first, start + last


def _span_of(name: str, source: str) -> tuple[int, int]:
    """Find a name in an expression, better outside quotes than in them; the whole expression where it is nowhere."""
    word = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)")
    found = name and (word.search(_QUOTED.sub(lambda quote: " " * len(quote.group()), source)) or word.search(source))
    return found.span() if found else (0, len(source))


@dataclass(frozen=True, slots=True)
class Reference:
    """A use of data in a configuration: `steps.fetch.items[0]` is root `steps`, keys `("fetch", "items", 0)`."""

    root: str
    keys: tuple[Part, ...]
    pointer: str
    """JSON pointer to the text, from the value that was searched."""
    text: str
    """The expression, as a message shows it."""
    optional: bool
    """Whether the expression provides for its absence (`default`, `is defined`)."""


def resolve(
    value: Any,
    scope: Mapping[str, Any],
    *,
    step: str,
    field: str = "",
    files: FileAccess | None = None,
    allowance: Allowance = EXPRESSIONS_OF_A_STEP,
) -> Any:
    """The value with every expression in it computed; the very same object where there is none.

    Lists and objects are walked, names of fields are left alone. Nothing that was passed in is changed; what an
    expression hands on is shared with the scope, not copied. `files` gives it the stored files that it uses. Raises
    ExpressionError, which calls the value `field`, also for what is more than its `allowance`.
    """
    if isinstance(value, str) and OPEN not in value:
        return value
    walk = _Walk(scope, files, allowance)
    try:
        return walk.resolve(value)
    except TemplateFailure as error:
        failed_field = dotted(walk.path, field)
        raise ExpressionError(
            step, failed_field, error.reason, shown(error.source), error.source, error.blamed
        ) from error
    except RecursionError as error:
        raise ExpressionError(step, field, sentence("objects and lists are nested too deeply"), "") from error


def references(value: Any) -> list[Reference]:
    """Every use of data in the expressions of the value. Raises TemplateFailure for what cannot be read."""
    return [found for path, text in texts(value) for found in references_in(text, path)]


def references_in(text: str, path: tuple[Part, ...] = ()) -> list[Reference]:
    """List the references of one text, found at `path`."""
    found = template(text).expressions
    return [reference for expression in found for reference in _references_of(expression, pointer(path))]


def references_and_problems(text: str, path: tuple[Part, ...], hints: Hints) -> Iterator[Reference | str]:
    """List the references of one text, and the problems, as sentences, of expressions that cannot be computed."""
    for reading in readings(text):
        if isinstance(reading, TemplateFailure):
            yield from (_quoting(reading.source, why) for why in reading.explain(hints))
        yield from _references_of(reading, pointer(path))


def _quoting(source: str, why: str) -> str:
    return sentence("%(why)s (in %(text)s)", why=why, text=shown(source)) if source else why


def _references_of(read: Expression | TemplateFailure, at: str) -> Iterator[Reference]:
    for used in read.references:
        yield Reference(used.root, used.keys, at, shown(read.source), used.optional)


def workflow_root(id_: UUID, name: object, time_zone: str | None) -> JsonObject:
    """Make the root `workflow`. Its time zone is that of filters which are given none."""
    return {"id": str(id_), "name": name, "timeZone": time_zone or UTC_NAME}


def _zone_of(scope: Mapping[str, Any]) -> str:
    workflow = scope.get("workflow")
    zone = workflow.get("timeZone") if isinstance(workflow, dict) else None
    return zone if isinstance(zone, str) else UTC_NAME


def texts(value: Any) -> Iterator[tuple[tuple[Part, ...], str]]:
    """Every text in the value with its path, in document order."""
    waiting: list[tuple[tuple[Part, ...], Any]] = [((), value)]
    while waiting:
        path, part = waiting.pop()
        if isinstance(part, str):
            yield path, part
        elif isinstance(part, dict):
            waiting.extend(((*path, str(key)), item) for key, item in reversed(part.items()))
        elif isinstance(part, list):
            waiting.extend(((*path, index), part[index]) for index in reversed(range(len(part))))


def shown(source: str) -> str:
    """The expression as a message shows it: in its braces, on one line, not longer than a reader likes."""
    if not source:
        return ""
    line = " ".join(source.split())
    return f"{OPEN} {line[:_TEXT_SHOWN]}{'…' if len(line) > _TEXT_SHOWN else ''} {CLOSE}"


class _Walk:
    """One pass over a configuration. `path` is where it is, and so where it failed."""

    __slots__ = ("_meter", "_scope", "path")

    def __init__(self, scope: Mapping[str, Any], files: FileAccess | None, allowance: Allowance) -> None:
        self._scope = scope
        self._meter = Meter(files, allowance, _zone_of(scope))
        self.path: list[Part] = []

    def resolve(self, value: Any) -> Any:
        if isinstance(value, str):
            return template(value).render(self._scope, self._meter) if OPEN in value else value
        if isinstance(value, dict):
            return self._members(value, value.items())
        if isinstance(value, list):
            return self._members(value, enumerate(value))
        return value

    def _members(self, holder: Any, members: Any) -> Any:
        """The holder itself, or a copy of it with the members that changed."""
        result = holder
        for key, member in members:
            if isinstance(member, str) and OPEN not in member:
                continue
            self.path.append(key)
            resolved = self.resolve(member)
            self.path.pop()
            if resolved is not member:
                if result is holder:
                    result = holder.copy()
                result[key] = resolved
        return result
