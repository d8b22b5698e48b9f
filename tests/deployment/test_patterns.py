"""Regular expressions mean the same in each Python that FlowForge runs on."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted(path for room in ("flowforge", "webapp", "workers") for path in (ROOT / room).rglob("*.py"))
POSSESSIVE_GROUP = re.compile(r"""(?<!\\)\)(?:[*+?]|\{[0-9,]+\})\+["|)\\ ]""")


@pytest.mark.parametrize("repeated", [r'"(?:a|b)*+"', r'"(a)?+ "', r'"(?:\.a){1,3}+"'])
def test_a_possessive_group_is_known(repeated: str) -> None:
    assert POSSESSIVE_GROUP.search(repeated)


def test_no_group_is_repeated_possessively() -> None:
    """Before Python 3.11.5 such a repetition keeps what a round that fails has matched (gh-106052); Debian 12 has
    3.11.2. A class that is repeated so is right everywhere."""
    assert [str(path.relative_to(ROOT)) for path in SOURCES if POSSESSIVE_GROUP.search(path.read_text("utf-8"))] == []
