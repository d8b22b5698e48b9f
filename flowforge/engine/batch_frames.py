"""The frames and blocks of a batch of executions: loaded when the state machine needs them, and written back.

Each round of commands is one statement of a kind for the whole batch, however many executions and frames it is about.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from flowforge.db import executions_store, frames_store
from flowforge.db.engine import Connection
from flowforge.db.frames_store import FrameKey, OpenBlockKey
from flowforge.engine.loaded_execution import LoadedExecution
from flowforge.execution.block import Gathered
from flowforge.execution.blocks import frame_behaviour_of
from flowforge.execution.commands import Effects
from flowforge.execution.state import ROOT, EndedFrame, Frame, FrameStatus, OpenBlock


@dataclass(frozen=True, slots=True)
class Round:
    """An execution, and the commands of its state machine in this round."""

    execution: LoadedExecution
    effects: Effects


@dataclass(frozen=True, slots=True)
class _Closing:
    execution: LoadedExecution
    key: OpenBlockKey

    @property
    def gathered(self) -> Gathered:
        """The data that the block needs of its frames."""
        step = self.execution.run.plan.step(self.key.step_index)
        return frame_behaviour_of(step).gathered(step) if step is not None else Gathered.NOTHING


class BatchFrames:
    """Works on the executions of a batch, by id; the caller has locked them."""

    def __init__(self, connection: Connection, executions: Mapping[UUID, LoadedExecution]) -> None:
        self._connection = connection
        self._executions = executions

    def load(self, keys: Sequence[FrameKey]) -> None:
        """Loads frames with their blocks."""
        for loaded in frames_store.load_frames(self._connection, keys) if keys else ():
            run = self._executions[loaded.execution_id].run
            run.frames.setdefault(loaded.frame.number, loaded.frame)
            run.blocks.setdefault(loaded.block.key, loaded.block)

    def load_blocks(self, keys: Sequence[OpenBlockKey]) -> None:
        for execution_id, block in frames_store.load_blocks(self._connection, keys) if keys else ():
            self._executions[execution_id].run.blocks.setdefault(block.key, block)

    def open(self, rounds: Iterable[Round]) -> None:
        """Stores the frames that are opened, and the blocks that begin with them."""
        opened = [(round_.execution.execution_id, frames) for round_ in rounds for frames in round_.effects.opened]
        if opened:
            frames_store.open_frames(self._connection, opened)

    def enter(self, rounds: Iterable[Round]) -> None:
        """Begins frames, in the order of their numbers."""
        keys = [
            FrameKey(round_.execution.execution_id, number) for round_ in rounds for number in round_.effects.entering
        ]
        if not keys:
            return
        entered = frames_store.enter_frames(self._connection, keys)
        for execution_id, frame in sorted(entered, key=lambda found: found[1].number):
            run = self._executions[execution_id].run
            run.frames[frame.number] = frame
            run.frame_entered(frame.number)

    def close(self, rounds: Iterable[Round]) -> None:
        """Ends blocks, with what their frames gave."""
        closing = [
            _Closing(round_.execution, OpenBlockKey(round_.execution.execution_id, *key))
            for round_ in rounds
            for key in round_.effects.closing
        ]
        if not closing:
            return
        self._load_surrounding(closing)
        ended = self._ended_frames(closing)
        for block in closing:
            block.execution.run.block_ended((block.key.frame, block.key.step_index), ended[block.key])

    def save(self, executions: Iterable[LoadedExecution]) -> None:
        """Writes frames and blocks; those frames that are over are not kept loaded."""
        frames: list[tuple[UUID, Frame]] = []
        blocks: list[tuple[UUID, OpenBlock]] = []
        for execution in executions:
            inner = (frame for frame in execution.run.frames.values() if frame.number != ROOT)
            frames += [(execution.execution_id, frame) for frame in inner]
            blocks += [(execution.execution_id, block) for block in execution.run.blocks.values()]
        if frames or blocks:
            frames_store.save(self._connection, frames, blocks)
        self._forget_ended(frames)

    def _forget_ended(self, saved: Iterable[tuple[UUID, Frame]]) -> None:
        for execution_id, frame in saved:
            frame.recorded = {}
            if frame.status in {FrameStatus.COMPLETED, FrameStatus.FAILED}:
                del self._executions[execution_id].run.frames[frame.number]

    def _load_surrounding(self, closing: Sequence[_Closing]) -> None:
        """Loads the frames in which the blocks stand."""
        self._complete([block.execution for block in closing if block.key.frame == ROOT])
        inner = [
            FrameKey(block.key.execution_id, block.key.frame)
            for block in closing
            if block.key.frame != ROOT and block.key.frame not in block.execution.run.frames
        ]
        self.load(inner)

    def _complete(self, executions: Iterable[LoadedExecution]) -> None:
        """Loads payload and outputs where they are not loaded yet."""
        incomplete = [execution for execution in executions if not execution.is_complete]
        if not incomplete:
            return
        data = executions_store.root_data(self._connection, [execution.execution_id for execution in incomplete])
        for execution in incomplete:
            stored, root = data[execution.execution_id], execution.run.frames[ROOT]
            execution.run.trigger, root.outputs = stored.payload, {**stored.outputs, **root.recorded}
            execution.is_complete = True

    def _ended_frames(self, closing: Sequence[_Closing]) -> dict[OpenBlockKey, list[EndedFrame]]:
        found: dict[OpenBlockKey, list[EndedFrame]] = {block.key: [] for block in closing}
        for gathered in (Gathered.RESULTS, Gathered.OUTPUTS):
            keys = [block.key for block in closing if block.gathered is gathered]
            if keys:
                with_outputs = gathered is Gathered.OUTPUTS
                found |= frames_store.ended_frames(self._connection, keys, with_outputs=with_outputs)
        return found
