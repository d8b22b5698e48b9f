"""Scalars of YAML in JSON's data model.

Numbers, `true`, `false` and `null` are what they are in JSON; everything else that stands without quotes is text: `on`,
`no`, `2026-03-04`, `1_000`, `010`.
"""

from __future__ import annotations

import re
from typing import Any

from flowforge import jsonio

_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_WORDS = {"true": True, "false": False, "null": None, "~": None, "": None}


def resolve_scalar(text: str) -> Any:
    """The value of a scalar without quotes."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] in "-0123456789" and _NUMBER.fullmatch(text):
        try:
            return jsonio.loads(text)
        except ValueError:  # a number that is too large for JSON's readers
            return text
    return text
