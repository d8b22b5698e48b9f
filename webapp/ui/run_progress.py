"""The progress of an execution's steps, as far as a page shows it: of one frame, with what is open inside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flowforge.connectors.catalog import load_catalog
from flowforge.execution.state import ROOT
from flowforge.executions import frame_progress
from flowforge.executions.frame_progress import FrameLook, LoopSpan
from flowforge.executions.views import BlockView, ExecutionView
from flowforge.executions.written_steps import WrittenStep, all_steps
from webapp.context import session
from webapp.ui.frames import steps_of_frame
from webapp.ui.steps import Flow, ShownRun, Step, no_run


@dataclass(frozen=True, slots=True)
class Progress:
    execution: ExecutionView
    steps: Sequence[Step]
    looks: Mapping[int, FrameLook]

    def loop_spans(self) -> Mapping[tuple[int, int], LoopSpan]:
        """Measure how long its loops took, by (frame, step)."""
        loops = {(step.frame, step.index) for top in self.steps for step in top.all() if step.loop}
        blocks = [block for look in self.looks.values() for block in look.blocks.values()]
        opened = [block for block in blocks if (block.frame, block.step_index) in loops]
        return frame_progress.loop_spans(session(), self.execution.id, opened)


def progress_of(
    execution: ExecutionView, written: Sequence[WrittenStep], frame: int = ROOT, shown_run: ShownRun = no_run
) -> Progress:
    """Look at a frame, with the branches that run side by side in it, and with those runs of its loops that are shown.
    Raises NotFound."""
    every = list(all_steps(written))
    lanes = {step.index for step in every if step.has_lanes}

    def frames_shown(block: BlockView) -> Sequence[int]:
        if block.step_index in lanes:
            return block.frames
        position = shown_run(block)
        return () if position is None else (block.first_frame + position,)

    looks = frame_progress.look(session(), execution, frame, frames_shown)
    calls = any(step.block and step.block.workflow_field for step in every)
    called = frame_progress.called(session(), execution.id) if calls else {}
    flow = Flow(execution, looks, called, load_catalog(), shown_run)
    shown = written if frame == ROOT else steps_of_frame(execution, frame, every)
    return Progress(execution, flow.steps(shown, frame), looks)
