"""Values between databases and JSON."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from flowforge import jsonio
from flowforge.connectors.errors import ConnectorError
from flowforge.connectors.files import FileAccess
from flowforge.file_values import ANY_TYPE, INLINE_BYTES, InlineFile, read_file
from flowforge.jsonio import JsonObject

KeepBytes = Callable[[bytes, str], JsonObject]
"""Makes a file of bytes, by its name."""
_LARGEST_PARAMETER = 16 * 1024 * 1024
_EXACT_DIGITS = 15
"""A number of that many digits is the same in decimal and binary (IEEE 754)."""


def to_json(value: Any, name: str, keep: KeepBytes, tell: Callable[[Any], Any] = str) -> Any:
    """A value of a column as JSON: numbers exactly, as text where JSON's would round them; times as ISO 8601, in UTC
    where they have a zone; bytes as a file of the column's name; anything else as `tell` gives it."""
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if math.isfinite(value) else None
        case Decimal():
            return exact_number(value)
        case datetime() | date() | time():
            return _iso(value)
        case timedelta():
            return iso_duration(value)
        case bytes() | bytearray() | memoryview():
            return keep(bytes(value), name)
        case Mapping():
            return {str(key): to_json(inner, name, keep, tell) for key, inner in value.items()}
        case list() | tuple() | set() | frozenset():
            return [to_json(inner, name, keep, tell) for inner in value]
    return tell(value)


def exact_number(value: Decimal) -> int | float | str | None:
    """A whole number, one with a fraction where it is the same in JSON's arithmetic, else its digits as text."""
    if not value.is_finite():
        return None
    if value == value.to_integral_value() and value.adjusted() < jsonio.MOST_DIGITS:
        return int(value)
    return float(value) if len(value.normalize().as_tuple().digits) <= _EXACT_DIGITS else str(value)


def iso_duration(value: timedelta) -> str:
    """P1DT2H3M4.5S (ISO 8601)."""
    seconds = abs(value).total_seconds()
    days, rest = divmod(seconds, 86_400)
    hours, rest = divmod(rest, 3_600)
    minutes, rest = divmod(rest, 60)
    parts = f"P{int(days)}DT{int(hours)}H{int(minutes)}M{rest:.6f}".rstrip("0").rstrip(".")
    return f"{'-' if value < timedelta(0) else ''}{parts}S"


def from_json(value: Any, files: FileAccess, write_json: Callable[[Any], Any]) -> Any:
    """A value of JSON as a parameter: a file is its bytes, an object or a list what `write_json` makes of it. Raises
    ConnectorError."""
    file = read_file(value)
    if file is None:
        return write_json(value) if isinstance(value, dict | list) else value
    if file.size > _LARGEST_PARAMETER:
        raise ConnectorError(f"{file.name} has more than {_LARGEST_PARAMETER} bytes: too large for a column", True)
    return b"".join(files.content(file).pieces())


def keeping(files: FileAccess) -> KeepBytes:
    """Small bytes stay in the value, larger ones go to the store of files."""

    def keep(content: bytes, name: str) -> JsonObject:
        if len(content) <= INLINE_BYTES:
            return InlineFile.named(name, ANY_TYPE, content).as_json()
        return files.keep(io.BytesIO(content), name, ANY_TYPE).as_json()

    return keep


def _iso(value: datetime | date | time) -> str:
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return value.isoformat()
