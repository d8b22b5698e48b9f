"""Generated workflows whose steps use what other steps gave, and what each of them gives in a run."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from flowforge.connectors.catalog import Catalog, load_catalog
from flowforge.connectors.sdk import ConnectorConfig, StepContext, connector
from flowforge.language.blocks import INNER_ROOTS

Json = dict[str, Any]
Action = dict[str, Any]
_DEEPEST, _MOST_ACTIONS, _MOST_IDS = 3, 12, 40
_ROOTS = ", ".join(["trigger.n", *(f"{root} is defined" for root in ("error", *sorted(INNER_ROOTS)))])
"""With these, and all `steps`, blocks hand everything in: what is not referred to is not there in a real run."""


class AnyConfig(ConnectorConfig):
    seen: Any = None


@connector("CALL", AnyConfig, title="Call", help="Calls.", icon="globe")
def call(config: AnyConfig, context: StepContext) -> Json:
    raise AssertionError("a preview calls nobody")


def catalog() -> Catalog:
    transform = load_catalog().get("TRANSFORM")
    return Catalog({"CALL": call, "TRANSFORM": transform}, {})


def outputs() -> st.SearchStrategy[dict[str, Json]]:
    """What each CALL gives, by its id."""
    output = st.fixed_dictionaries({"ok": st.booleans(), "rows": st.lists(st.integers(0, 9), max_size=3)})
    return st.fixed_dictionaries({f"s{number}": output for number in range(_MOST_IDS)})


@st.composite
def programs(draw: st.DrawFn, *, calls: bool = True, fails: bool = False) -> list[Action]:
    """`calls`: with steps whose output only a run tells; `fails`: with expressions that may have no value."""
    return _Drawing(draw, calls, fails).actions(_DEEPEST, alone=True)


class _Drawing:
    def __init__(self, draw: st.DrawFn, calls: bool, fails: bool) -> None:
        self._draw, self._calls, self._fails = draw, calls, fails
        self._count = 0

    def actions(self, depth: int, *, alone: bool) -> list[Action]:
        if self._count >= _MOST_ACTIONS:
            return []
        return [self._action(depth, alone) for _ in range(self._draw(st.integers(0, 5 if depth == _DEEPEST else 2)))]

    def _action(self, depth: int, alone: bool) -> Action:
        """`alone`: nothing else of the execution runs beside it, so that a STOP has one meaning."""
        action: Action = {"id": f"s{self._count}", "type": self._type(depth, alone)}
        self._count += 1
        action |= getattr(self, "_" + action["type"].lower())(depth, alone)
        return action | self._extras(depth, alone)

    def _type(self, depth: int, alone: bool) -> str:
        types = ["TRANSFORM", "TRANSFORM", "WAIT", *(["CALL", "CALL"] if self._calls else [])]
        types += ["BRANCH", "BRANCH", "FOR_EACH", "REPEAT", "PARALLEL"] if depth else []
        types += ["STOP"] if alone and self._draw(st.integers(0, 4)) == 0 else []
        return self._draw(st.sampled_from(types))

    def _call(self, depth: int, alone: bool) -> Action:
        return {"config": {"seen": f"{{{{ [steps, {_ROOTS}] }}}}"}}

    def _transform(self, depth: int, alone: bool) -> Action:
        used = {"ok": f"{{{{ {self._condition()} }}}}", "rows": f"{{{{ {self._list()} }}}}"}
        return {"config": {"output": {**used, "seen": f"{{{{ [steps | length, {_ROOTS}] }}}}"}}}

    def _wait(self, depth: int, alone: bool) -> Action:
        return {"config": {"seconds": 0}}

    def _stop(self, depth: int, alone: bool) -> Action:
        return {"config": {"status": self._draw(st.sampled_from(["completed", "failed"]))}}

    def _branch(self, depth: int, alone: bool) -> Action:
        count = self._draw(st.integers(1, 2))
        ways = [{"when": f"{{{{ {self._condition()} }}}}"} for _ in range(count)]
        branches = [{**way, "actions": self.actions(depth - 1, alone=alone)} for way in ways]
        otherwise = {"else": self.actions(depth - 1, alone=alone)} if self._draw(st.booleans()) else {}
        return {"branches": branches, **otherwise}

    def _for_each(self, depth: int, alone: bool) -> Action:
        at_once, failing = self._draw(st.integers(1, 2)), self._draw(st.sampled_from(["stop", "continue"]))
        config: Json = {"items": f"{{{{ {self._list()} }}}}", "concurrency": at_once, "onItemError": failing}
        if self._draw(st.booleans()):
            config["collect"] = f"{{{{ {self._condition()} }}}}"
        return {"config": config, "actions": self.actions(depth - 1, alone=alone and at_once == 1)}

    def _repeat(self, depth: int, alone: bool) -> Action:
        until = self._draw(st.sampled_from(["round.number >= 2", self._condition()]))
        fails = self._fails and self._draw(st.booleans())
        config: Json = {"until": f"{{{{ {until} }}}}", "most": 3, "onMost": "fail" if fails else "continue"}
        if self._draw(st.booleans()):
            config |= {"start": 1, "carry": "{{ carry + round.number }}", "collect": "{{ [carry, round.last] }}"}
        return {"config": config, "actions": self.actions(depth - 1, alone=alone)}

    def _parallel(self, depth: int, alone: bool) -> Action:
        count = self._draw(st.integers(1, 2))
        return {"branches": [{"actions": self.actions(depth - 1, alone=False)} for _ in range(count)]}

    def _extras(self, depth: int, alone: bool) -> Action:
        more: Action = {}
        if self._draw(st.integers(0, 3)) == 0:
            more["when"] = f"{{{{ {self._condition()} }}}}"
        if self._draw(st.integers(0, 7)) == 0:
            more["enabled"] = False
        handling = self._draw(st.integers(0, 5))
        if handling == 0:
            more["onError"] = "continue"
        elif handling == 1 and depth:
            more["onError"] = self.actions(depth - 1, alone=alone)
        return more

    def _condition(self) -> str:
        known = ["trigger.n > 0", "true", "item is defined and item > 4", "loop is defined and loop.first"]
        return self._draw(st.sampled_from([*known, self._use("ok", "false"), self._use("branch", "''")]))

    def _list(self) -> str:
        return self._draw(st.sampled_from(["[]", "[7, 3]", self._use("rows", "[1]"), self._use("rows", "[]")]))

    def _use(self, field: str, otherwise: str) -> str:
        used = f"steps.s{self._draw(st.integers(0, max(self._count - 1, 0)))}.{field}"
        strict = self._fails and self._draw(st.integers(0, 3)) == 0
        return used if strict else f"({used} | default({otherwise}))"
