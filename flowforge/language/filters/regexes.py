"""Filters with regular expressions. RE2's syntax and engine: no backtracking, so no pattern explodes.

Linear is not cheap yet: a pattern may cost some hundred nanoseconds a character, and many matches may each look far
ahead. The meter is paid for the worst that measurements have shown, and far less for patterns that are plainly simple.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from flowforge.language.evaluation.meter import Failure, Meter
from flowforge.language.evaluation.values import text, whole
from flowforge.language.filters.registry import Register

REGEX_FILTERS = Register()

_LONGEST_PATTERN = 200
_LARGEST_PROGRAM = 2_000
_COMPILE_NANOSECONDS = 1_000_000
_MATCH_NANOSECONDS = 8_000
_MATCH_BYTES = 600
_STEP_NANOSECONDS = 15
"""One instruction of the compiled pattern at one character, at worst."""
_SIMPLE_NANOSECONDS = 20
_BYTES_OF_ENGINE = 512 * 1024
_MOST_GROUPS = range(10)
# At most eight characters or classes, the last perhaps repeated: such a search ends where its match ends.
_SIMPLE = re.compile(r"(?:\[\^?[^\[\]\\]+\]|\\[dswDSW]|\\[.+*?()|\[\]{}^$\\/-]|[^\\\[\](){}.*+?|^$]){1,8}\+?")
_REFERENCE = re.compile(r"\$(\d|\$)")


@REGEX_FILTERS.add("regex_test")
def regex_test(meter: Meter, value: Any, pattern: Any) -> bool:
    """Whether the pattern is found in the text. `^` and `$` make it the whole text."""
    subject = text(value, "regex_test")
    return next(_matches(meter, _compiled(meter, pattern), subject), None) is not None


@REGEX_FILTERS.add("regex_match")
def regex_match(meter: Meter, value: Any, pattern: Any, group: Any = 0) -> str | None:
    """The first match, or a group of it; null where there is none."""
    subject, compiled = text(value, "regex_match"), _compiled(meter, pattern)
    number = _group(compiled, group, "regex_match")
    found = next(_matches(meter, compiled, subject), None)
    return found[number] if found else None


@REGEX_FILTERS.add("regex_find_all")
def regex_find_all(meter: Meter, value: Any, pattern: Any, group: Any = 0) -> list[str | None]:
    """All matches, or a group of each."""
    subject, compiled = text(value, "regex_find_all"), _compiled(meter, pattern)
    number = _group(compiled, group, "regex_find_all")
    return [found[number] for found in _matches(meter, compiled, subject)]


@REGEX_FILTERS.add("regex_replace")
def regex_replace(meter: Meter, value: Any, pattern: Any, replacement: Any) -> str:
    """Every match replaced; `$1` in the replacement stands for the first group, `$$` for a dollar sign."""
    subject, after, compiled = (
        text(value, "regex_replace"),
        text(replacement, "regex_replace"),
        _compiled(meter, pattern),
    )
    for used in _REFERENCE.findall(after):
        if used != "$":
            _group(compiled, int(used), "regex_replace")
    pieces: list[str] = []
    end = 0
    for found in _matches(meter, compiled, subject):
        made = _expanded(after, found)
        meter.memory(4 * len(made))
        pieces += (subject[end : found.start()], made)
        end = found.end()
    pieces.append(subject[end:])
    meter.memory(4 * len(subject))
    return "".join(pieces)


def _compiled(meter: Meter, pattern: Any) -> Any:
    source = text(pattern, "a regular expression")
    if len(source) > _LONGEST_PATTERN:
        raise Failure(f"a regular expression may have {_LONGEST_PATTERN} characters")
    meter.work(_COMPILE_NANOSECONDS)
    import re2  # three megabytes that most processes never need

    options = re2.Options()
    options.max_mem = _BYTES_OF_ENGINE
    options.log_errors = False
    try:
        compiled = re2.compile(source, options=options)
    except (re2.error, UnicodeEncodeError) as error:
        raise Failure(f"the regular expression cannot be used: {_reason(error)}") from error
    if compiled.programsize > _LARGEST_PROGRAM:
        raise Failure("the regular expression cannot be used: it is too complicated")
    return compiled


def _matches(meter: Meter, compiled: Any, subject: str) -> Iterator[Any]:
    """The matches, each search paid for before it is made."""
    simple = _SIMPLE.fullmatch(compiled.pattern) is not None
    size = len(subject) if subject.isascii() else 4 * len(subject)
    meter.memory(2 * size)
    meter.work(compiled.programsize * 1_000 + size * _SIMPLE_NANOSECONDS)
    each = 0 if simple else compiled.programsize * _STEP_NANOSECONDS
    meter.work(size * each)
    try:
        for found in compiled.finditer(subject):
            meter.memory(_MATCH_BYTES + 4 * (found.end() - found.start()))
            meter.work(_MATCH_NANOSECONDS + (len(subject) - found.end()) * each)
            yield found
    except UnicodeEncodeError as error:
        raise Failure("the text holds half a character") from error


def _group(compiled: Any, group: Any, purpose: str) -> int:
    number = whole(group, f"group of {purpose}", _MOST_GROUPS)
    if number > compiled.groups:
        raise Failure(f"{purpose}: the regular expression has {compiled.groups} groups, not {number}")
    return number


def _expanded(replacement: str, found: Any) -> str:
    return _REFERENCE.sub(lambda used: "$" if used[1] == "$" else found[int(used[1])] or "", replacement)


def _reason(error: Exception) -> str:
    message = error.args[0] if error.args else ""
    if isinstance(error, UnicodeEncodeError):
        return "it holds half a character"
    return message.decode("utf-8", "replace") if isinstance(message, bytes) else str(message)
