"""Compares two texts line by line: for texts that are made to be alike everywhere, that takes quadratic time."""

from __future__ import annotations

from difflib import unified_diff
from typing import Any

from flowforge.connectors.programs import limits


def work(request: dict[str, Any]) -> None:
    lines = [*unified_diff(request["before"], request["after"], n=request["around"], lineterm="")][2:]
    changes = [line[:1] for line in lines]
    limits.answer_each([{"diff": "\n".join(lines), "added": changes.count("+"), "removed": changes.count("-")}])


if __name__ == "__main__":
    limits.run(work)
