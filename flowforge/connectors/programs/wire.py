"""What a program is asked and answers, as JSON: a request of one object, then the columns, then a line for each row.

Values that JSON does not have are `{"\\u0000": [type, text]}`.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

_MARK = "\0"
_READ: Mapping[str, Callable[[str], Any]] = {
    "bytes": base64.b64decode,
    "decimal": Decimal,
    "datetime": datetime.fromisoformat,
    "date": date.fromisoformat,
    "time": time.fromisoformat,
    "seconds": lambda text: timedelta(seconds=float(text)),
}


def encode(value: Any) -> str:
    return json.dumps(value, default=_marked, ensure_ascii=False)


def decode(text: str | bytes) -> Any:
    """Raises ValueError for what is no JSON."""
    return json.loads(text, object_hook=_unmarked)


def _marked(value: Any) -> Any:
    match value:
        case bytes() | bytearray() | memoryview():
            return {_MARK: ["bytes", base64.b64encode(bytes(value)).decode()]}
        case Decimal():
            return {_MARK: ["decimal", str(value)]}
        case datetime() | date() | time():
            return {_MARK: [type(value).__name__, value.isoformat()]}
        case timedelta():
            return {_MARK: ["seconds", str(value.total_seconds())]}
        case set() | frozenset():
            return list(value)
    return str(value)


def _unmarked(found: dict[str, Any]) -> Any:
    if found.keys() != {_MARK}:
        return found
    type_, text = found[_MARK]
    return _READ[type_](text)
