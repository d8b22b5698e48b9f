"""Conditions of IF, Filter and Switch nodes, as expressions of ours; the old forms of them, too."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flowforge.jsonio import JsonObject
from flowforge.n8n.asking import Asked, Left
from flowforge.sentences import sentence

_OLD_KINDS = ("boolean", "dateTime", "number", "string")
_OLD_DEFAULT = {"boolean": "equal", "dateTime": "after", "number": "smaller", "string": "equal"}

Write = Callable[[str, str], str]


def condition(asked: Asked, raw: Any) -> str:
    """The `conditions` of a node. Raises Left, Uncomputable."""
    if not isinstance(raw, dict):
        raise Left(sentence("its conditions are missing"))
    if "combinator" in raw or isinstance(raw.get("conditions"), list):
        rows = [row for row in raw.get("conditions") or [] if isinstance(row, dict)]
        tests = [_test(asked, row, _options(raw)) for row in rows]
        return _combined(tests, "or" if raw.get("combinator") == "or" else "and")
    return _combined(_old_tests(asked, raw), "or" if asked.raw("combineOperation") == "any" else "and")


def _options(raw: JsonObject) -> JsonObject:
    options = raw.get("options")
    return options if isinstance(options, dict) else {}


def _combined(tests: list[str], word: str) -> str:
    if not tests:
        return "true"
    return tests[0] if len(tests) == 1 else f" {word} ".join(f"({test})" for test in tests)


def _test(asked: Asked, row: JsonObject, options: JsonObject) -> str:
    operator = row.get("operator")
    named = operator if isinstance(operator, dict) else {"operation": operator}
    kind, operation = str(named.get("type", "string")), str(named.get("operation", "equals"))
    left = asked.bare(row.get("leftValue"))
    right = "none" if named.get("singleValue") else asked.bare(row.get("rightValue"))
    ignores_case = options.get("caseSensitive") is False and kind == "string"
    return written(operation, kind, left, right, ignores_case=ignores_case)


def _old_tests(asked: Asked, raw: JsonObject) -> list[str]:
    """Of version 1: lists of conditions by the kind of their values."""
    tests = []
    for kind in _OLD_KINDS:
        rows = raw.get(kind)
        for row in rows if isinstance(rows, list) else ():
            operation = str(row.get("operation", _OLD_DEFAULT[kind]))
            tests.append(
                written(operation, kind, asked.bare(row.get("value1")), asked.bare(row.get("value2", _blank(kind))))
            )
    return tests


def _blank(kind: str) -> Any:
    return {"boolean": False, "number": 0}.get(kind, "")


def written(operation: str, kind: str, left: str, right: str, *, ignores_case: bool = False) -> str:
    """One comparison. Raises Left for one that is not known."""
    if kind == "dateTime" and operation in _OF_TIMES:
        return _OF_TIMES[operation](f"({left}) | timestamp", f"({right}) | timestamp")
    if kind == "number" and operation in ("equals", "notEquals", "equal", "notEqual", *_ORDERS):
        left, right = _as_number(left), _as_number(right)
    if ignores_case:
        left, right = f"({left}) | string | lower", f"({right}) | string | lower"
    if kind in ("array", "object") and operation in _OF_LISTS:
        return _OF_LISTS[operation](left, right)
    write = _TESTS.get(operation)
    if write is None:
        raise Left(sentence("the comparison '%(operation)s' is not known", operation=operation))
    return write(left, right)


def _as_number(value: str) -> str:
    return value if value.replace(".", "", 1).lstrip("-").isdigit() else f"({value}) | float(none)"


def _regex(left: str, right: str) -> str:
    return f"{_text(left)} | regex_test({right})"


def _text(value: str) -> str:
    return f"({value}) | default('', true) | string"


_ORDERS: Mapping[str, Write] = {
    "gt": lambda left, right: f"({left}) > ({right})",
    "lt": lambda left, right: f"({left}) < ({right})",
    "gte": lambda left, right: f"({left}) >= ({right})",
    "lte": lambda left, right: f"({left}) <= ({right})",
    "larger": lambda left, right: f"({left}) > ({right})",
    "smaller": lambda left, right: f"({left}) < ({right})",
    "largerEqual": lambda left, right: f"({left}) >= ({right})",
    "smallerEqual": lambda left, right: f"({left}) <= ({right})",
}
_TESTS: Mapping[str, Write] = {
    **_ORDERS,
    "equals": lambda left, right: f"({left}) == ({right})",
    "equal": lambda left, right: f"({left}) == ({right})",
    "notEquals": lambda left, right: f"({left}) != ({right})",
    "notEqual": lambda left, right: f"({left}) != ({right})",
    "contains": lambda left, right: f"({right}) | string in {_text(left)}",
    "notContains": lambda left, right: f"({right}) | string not in {_text(left)}",
    "startsWith": lambda left, right: f"({_text(left)})[:({right}) | length] == ({right})",
    "notStartsWith": lambda left, right: f"({_text(left)})[:({right}) | length] != ({right})",
    "endsWith": lambda left, right: f"({right}) == '' or ({_text(left)})[-(({right}) | length):] == ({right})",
    "notEndsWith": lambda left, right: f"({right}) != '' and ({_text(left)})[-(({right}) | length):] != ({right})",
    "regex": _regex,
    "notRegex": lambda left, right: f"not {_regex(left, right)}",
    "exists": lambda left, _: f"({left}) is not none",
    "notExists": lambda left, _: f"({left}) is none",
    "empty": lambda left, _: f"({left}) is none or ({left}) == '' or ({left}) == [] or ({left}) == {{}}",
    "isEmpty": lambda left, _: f"({left}) is none or ({left}) == ''",
    "notEmpty": lambda left, _: f"({left}) is not none and ({left}) != '' and ({left}) != [] and ({left}) != {{}}",
    "isNotEmpty": lambda left, _: f"({left}) is not none and ({left}) != ''",
    "true": lambda left, _: f"({left}) == true",
    "false": lambda left, _: f"({left}) == false",
}
_OF_TIMES: Mapping[str, Write] = {
    "after": lambda left, right: f"{left} > {right}",
    "before": lambda left, right: f"{left} < {right}",
    "afterOrEquals": lambda left, right: f"{left} >= {right}",
    "beforeOrEquals": lambda left, right: f"{left} <= {right}",
    "equals": lambda left, right: f"{left} == {right}",
    "notEquals": lambda left, right: f"{left} != {right}",
}
_OF_LISTS: Mapping[str, Write] = {
    "contains": lambda left, right: f"({right}) in ({left})",
    "notContains": lambda left, right: f"({right}) not in ({left})",
    "lengthEquals": lambda left, right: f"({left}) | length == ({right})",
    "lengthNotEquals": lambda left, right: f"({left}) | length != ({right})",
    "lengthGt": lambda left, right: f"({left}) | length > ({right})",
    "lengthLt": lambda left, right: f"({left}) | length < ({right})",
    "lengthGte": lambda left, right: f"({left}) | length >= ({right})",
    "lengthLte": lambda left, right: f"({left}) | length <= ({right})",
}
