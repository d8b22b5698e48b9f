"""FOR_EACH_PAGE in an execution: a frame for every page, opened when the one before is over.

So a list that is larger than what a step may give, or memory holds, passes through page by page, and where it goes on
is in PostgreSQL like everything that a frame hands on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flowforge.execution.block import Following, LoopInTurn, Machine
from flowforge.execution.conditions import holds
from flowforge.execution.state import EndedFrame, Frame, OpenBlock
from flowforge.jsonio import JsonObject
from flowforge.language.block import ConfigUnusable
from flowforge.language.blocks.for_each_page import MAX_PAGES
from flowforge.language.expressions.unknown_values import Undecided, Unknown
from flowforge.language.plan import Step


class ForEachPage(LoopInTurn):
    """The item of a frame says where the page before has ended: the `next` of its first step, null for the first page.

    The block remembers whether the list was read to its end (`complete`).
    """

    name = "FOR_EACH_PAGE"

    def enter(self, machine: Machine, frame: Frame, step: Step) -> Following:
        if not step.bodies or step.bodies[0].first is None:
            raise ConfigUnusable("there is no action that reads a page")
        machine.config(frame, step)
        return machine.open_block(frame, step, [None], at_once=1, reserved=MAX_PAGES, memory={"complete": False})

    def roots(self, frame: Frame, block: OpenBlock) -> JsonObject:
        return {"page": {"number": frame.position + 1, "after": frame.item}}

    def position(self, frame: Frame) -> dict[str, int]:
        return {"page": frame.position + 1}

    def result(self, machine: Machine, frame: Frame, step: Step, block: OpenBlock) -> Any:
        page = self._page(frame, step)
        following = page.get("next")
        block.memory = {"complete": holds(page["complete"])}
        if following is not None:
            if block.total >= MAX_PAGES:
                raise ConfigUnusable(f"there are more than {MAX_PAGES:,} pages")
            machine.add_frame(block, following)
        return self.evaluated(machine, frame, step, "collect")

    def output(self, machine: Machine, frame: Frame, step: Step, block: OpenBlock, ended: Sequence[EndedFrame]) -> Any:
        output = {"count": block.ended, "complete": (block.memory or {})["complete"]}
        return self.with_results(step, output, ended)

    def _page(self, frame: Frame, step: Step) -> Mapping[str, Any]:
        """The output of the step that reads a page. Raises ConfigUnusable, and Undecided where it is unknown."""
        first = self.body(step, frame).steps[0]
        page = frame.outputs.get(first.key)
        if isinstance(page, Unknown):
            raise Undecided(page)
        if not isinstance(page, Mapping) or "complete" not in page:
            raise ConfigUnusable(f"'{first.id}' has read no page of a list: give it paging")
        return page


BEHAVIOUR = ForEachPage()
