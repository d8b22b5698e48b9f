"""Conditions as people put them together: this, compared with that. Anything else is an expression of their own."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flowforge.jsonio import JsonObject
from flowforge.language.blocks import BLOCKS

OPERATORS = {
    "==": "is",
    "!=": "is not",
    ">": "is more than",
    ">=": "is at least",
    "<": "is less than",
    "<=": "is at most",
    "contains": "contains",
    "lacks": "does not contain",
    "filled": "is there",
    "empty": "is missing or empty",
}
ALONE = frozenset({"filled", "empty"})
"""Operators without a right side."""
_PATH = r"[A-Za-z_][\w]*(?:\.[A-Za-z_]\w*|\[\d+\]|\['[^']*'\]|\[\"[^\"]*\"\])*"
_VALUE = rf"-?\d+(?:\.\d+)?|true|false|\"(?:[^\"\\]|\\.)*\"|'[^'\\]*'|{_PATH}"
_COMPARED = re.compile(rf"\{{\{{\s*({_PATH})\s*(==|!=|>=|<=|>|<)\s*({_VALUE})\s*\}}\}}")
_CONTAINS = re.compile(rf"\{{\{{\s*({_VALUE})\s+(not\s+)?in\s+({_PATH})\s*\}}\}}")
_ALONE = re.compile(rf"\{{\{{\s*(not\s+)?({_PATH})\s*\|\s*default\(none\)\s*\}}\}}")

_SEVERAL = re.compile(r"\}\}.*\{\{", re.DOTALL)
"""More than one expression in a text."""


@dataclass(frozen=True, slots=True)
class Condition:
    left: str
    """A path: `trigger.body.total`."""
    operator: str
    right: str = ""
    """A number, true, false, a path inside braces, or a text."""


def read_condition(text: str) -> Condition | None:
    """Read a condition from an expression; None where the expression is more than that. An empty text is a condition to
    fill in."""
    text = text.strip()
    if not text:
        return Condition("", "==")
    if match := _COMPARED.fullmatch(text):
        return Condition(match[1], match[2], _operand(match[3]))
    if match := _CONTAINS.fullmatch(text):
        return Condition(match[3], "lacks" if match[2] else "contains", _operand(match[1]))
    if match := _ALONE.fullmatch(text):
        return Condition(match[2], "empty" if match[1] else "filled")
    return None


def write_condition(condition: Condition) -> str:
    """The expression; nothing while there is no left side."""
    left = _bare(condition.left)
    if not left:
        return ""
    match condition.operator:
        case "filled":
            return f"{{{{ {left} | default(none) }}}}"
        case "empty":
            return f"{{{{ not {left} | default(none) }}}}"
        case "contains":
            return f"{{{{ {_literal(condition.right)} in {left} }}}}"
        case "lacks":
            return f"{{{{ {_literal(condition.right)} not in {left} }}}}"
    operator = condition.operator if condition.operator in OPERATORS else "=="
    return f"{{{{ {left} {operator} {_literal(condition.right)} }}}}"


def with_conditions_in_words(type_: str, config: Mapping[str, Any]) -> JsonObject:
    """A block's config, or the effect of one, with its conditions as people read them."""
    block = BLOCKS.get(type_)
    names = block.config.conditions if block else frozenset()
    return {name: in_words(value) if name in names else value for name, value in config.items()}


def in_words(written: object) -> str:
    """`trigger.body.total is more than 100`; of another expression what stands between its braces."""
    text = written if isinstance(written, str) else "" if written is None else str(written).lower()
    condition = read_condition(text)
    if condition is None:
        return text if _SEVERAL.search(text) else _bare(text)
    if not condition.left:
        return "no condition yet"
    right = "" if condition.operator in ALONE else f" {condition.right or '“”'}"
    return f"{condition.left} {OPERATORS[condition.operator]}{right}"


def _bare(text: str) -> str:
    stripped = text.strip()
    return stripped[2:-2].strip() if stripped.startswith("{{") and stripped.endswith("}}") else stripped


def _literal(text: str) -> str:
    stripped = text.strip()
    if re.fullmatch(r"-?\d+(\.\d+)?|true|false", stripped):
        return stripped
    if stripped.startswith("{{") and stripped.endswith("}}"):
        return _bare(stripped)
    return json.dumps(stripped.strip('"') if re.fullmatch(r'"-?\d+(\.\d+)?"', stripped) else text, ensure_ascii=False)


def _operand(literal: str) -> str:
    if literal.startswith('"'):
        text = str(json.loads(literal))
        return f'"{text}"' if re.fullmatch(r"-?\d+(\.\d+)?|true|false", text) else text
    if literal.startswith("'"):
        return literal[1:-1]
    return literal if re.fullmatch(r"-?\d+(\.\d+)?|true|false", literal) else f"{{{{ {literal} }}}}"
