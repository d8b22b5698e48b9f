"""A definition of 1,000 steps: how long it takes to read, to check and to compile. `python -m bench.compile [steps]`"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

from flowforge.language.check import check
from flowforge.language.definition import parse
from flowforge.language.plan import compile_plan

TIMES = 9
Action = dict[str, Any]


def flat(steps: int) -> dict[str, Any]:
    return {"name": "flat", "actions": [_step(number) for number in range(steps)]}


def nested(steps: int) -> dict[str, Any]:
    """Loops of ten steps, in branches."""
    actions: list[Action] = []
    for block in range(steps // 12):
        inner = [_step(block * 12 + number, own=False) for number in range(10)]
        loop = {"type": "FOR_EACH", "config": {"items": "{{ trigger.items }}"}, "actions": inner}
        actions.append({"type": "BRANCH", "branches": [{"name": "a", "when": "{{ trigger.ok }}", "actions": [loop]}]})
    return {"name": "nested", "actions": actions}


def _step(number: int, *, own: bool = True) -> Action:
    text = (
        f"{{{{ trigger.body.name }}}} and {{{{ steps.s{number - 1}.status }}}}" if own and number else "{{ trigger.x }}"
    )
    config = {"method": "POST", "url": "https://example.com/", "body": {"text": text, "number": number}}
    return {"id": f"s{number}", "type": "HTTP_REQUEST", "config": config}


def _median_ms(work: Callable[[], Any]) -> float:
    taken = []
    for _ in range(TIMES):
        begun = time.perf_counter()
        work()
        taken.append((time.perf_counter() - begun) * 1000)
    return statistics.median(taken)


def main() -> None:
    steps = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
    print(f"{'definition':<12}{'read':>10}{'check':>10}{'compile':>10}   ms, median of {TIMES}")
    for definition in (flat(steps), nested(steps)):
        parsed = parse(definition)
        stored = parsed.dump()
        problems = check(parsed)
        if problems:
            raise RuntimeError(problems[0].message)
        read = _median_ms(lambda raw=definition: parse(raw))
        checked = _median_ms(lambda written=parsed: check(written))
        compiled = _median_ms(lambda kept=stored: compile_plan(kept, templated=True))
        print(f"{definition['name']:<12}{read:>10.1f}{checked:>10.1f}{compiled:>10.1f}")


if __name__ == "__main__":
    main()
