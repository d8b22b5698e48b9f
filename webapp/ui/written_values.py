"""Values as people write them in forms: JSON where it is data, else text."""

from __future__ import annotations

from math import isfinite
from typing import Any

from flowforge import jsonio


def has_expression(value: Any) -> bool:
    return isinstance(value, str) and "{{" in value


def as_text(value: Any) -> str:
    """JSON that `from_text` reads again; a text that cannot be taken for anything else stays a text."""
    if isinstance(value, str) and from_text(value) == value:
        return value
    text = jsonio.dumps(value)
    return jsonio.indented(value) if isinstance(value, dict | list) and value else text.decode()


def from_text(text: str) -> Any:
    """A number, true, false, null, an object or a list as JSON writes it; anything else is a text."""
    stripped = text.strip()
    is_data = stripped.startswith(("{\n", '{"', "[", '"'))
    if not stripped or (has_expression(stripped) and not is_data):
        return text
    try:
        return jsonio.loads(stripped)
    except ValueError:
        return text


def number_of(text: str) -> Any:
    """A finite number; anything else stays a text."""
    try:
        return int(text)
    except ValueError:
        pass
    try:
        number = float(text)
    except ValueError:
        return text
    return number if isfinite(number) else text
