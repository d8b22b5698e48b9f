"""Executions on the move: a batch of them is loaded, driven by the state machine, and written back.

The machine asks for what it does not hold; each round of asking is one statement for the whole batch, however many
executions and frames it is about.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from flowforge.bus import Message
from flowforge.db import executions_store as store
from flowforge.db import frames_store, waits_store
from flowforge.db.frames_store import OpenBlockKey
from flowforge.engine import answers, cancellation, completion, intake
from flowforge.engine.announcements import wait_messages
from flowforge.engine.answers import Answer
from flowforge.engine.completion import EndedExecution, PostCommit
from flowforge.engine.intake import NewEvent
from flowforge.engine.loaded_execution import LoadedExecution
from flowforge.engine.start_messages import StartMessages, StepContext
from flowforge.execution.commands import CallWorkflow, Effects, OpenFrames, StartStep, Wait
from flowforge.execution.context import step_context
from flowforge.execution.state import ROOT, EndedFrame, Frame, FrameStatus, OpenBlock, Status
from flowforge.ids import uuid7
from flowforge.language.blocks import BlockType

MOST_CALLS_DEEP = 10
"""How many workflows may call one another in a row."""


class Batch:
    """The executions that one batch of messages is about. Facts are told to their runs; then `settle` and `write`."""

    def __init__(self, connection: Connection, starts: StartMessages) -> None:
        self.connection = connection
        self._starts = starts
        self.loaded: dict[UUID, LoadedExecution] = {}
        self.messages: list[Message] = []
        """What is to be published after the commit."""
        self.answered: list[UUID] = []
        """Events whose callers are to be told then."""
        self.freed: set[str] = set()
        """Concurrency keys whose next execution may begin then."""

    def add(self, one: LoadedExecution) -> None:
        self.loaded[one.execution_id] = one

    def keep_only(self, event_ids: set[UUID]) -> None:
        """Of executions that were created just now: those whose event is among these. They are stored as they are."""
        self.loaded = {id_: one for id_, one in self.loaded.items() if one.event_id in event_ids}
        for one in self.loaded.values():
            one.stored()
            one.attempts = []

    def settle(self, loaded: Iterable[LoadedExecution]) -> None:
        """Does what the machine asks for, until nothing is left but what executors, time and people do."""
        active = list(loaded)
        while True:
            asked = [(one, self._asked(one)) for one in active]
            asked = [(one, effects) for one, effects in asked if not one.over]
            self._open(asked)
            active = [one for one, effects in asked if effects.entering or effects.closing]
            if not active:
                return
            self._save(active)
            self._enter([(one, effects.entering) for one, effects in asked if effects.entering])
            self._close([(one, effects) for one, effects in asked if effects.closing])

    def write(self, applied: Sequence[dict[str, Any]]) -> None:
        """Stores where they are, and gathers the messages that tell of it."""
        moved = list(self.loaded.values())
        self._save(moved)
        attempts = [row for one in moved if not one.over for row in one.attempts]
        changed = [one for one in moved if one.changed]
        if changed or applied or attempts:
            store.apply(self.connection, [one.row() for one in changed], applied, attempts)
        over = [one for one in moved if one.over and not one.was_over]
        framed = [one.execution_id for one in over if one.run.next_frame > 1]
        if framed:
            store.drop_unbegun(self.connection, framed)
        self._call([one for one in moved if not one.over])
        self._answer()
        self.messages += [message for one in moved if not one.over for message in one.starts]
        self.follow([one.ended() for one in over])
        self._cancel_called([one.execution_id for one in over if one.run.status is Status.FAILED and one.calls_others])

    # What the machine asks for

    def prepare(self, one: LoadedExecution) -> None:
        """Before its row is there: what can be stored with it."""
        one.asked = self._take(one)

    def _asked(self, one: LoadedExecution) -> Effects:
        prepared, one.asked = one.asked, None
        return prepared or self._take(one)

    def _take(self, one: LoadedExecution) -> Effects:
        """Remembers the commands that are carried out in the end; returns them all."""
        effects, one.run.effects = one.run.effects, Effects()
        one.response = one.response or effects.response
        if one.over:
            return effects
        for start in effects.starts:
            one.attempts.append(_attempt_row(one, start.step_index, start.iteration, start.attempt, start.due_at))
            if start.due_at is None:
                one.starts.append(self._start(one, start))
        for wait in effects.waits:
            one.attempts.append(
                _attempt_row(one, wait.step_index, wait.iteration, wait.attempt, wait.due_at, _waiting(wait))
            )
        for call in effects.calls:
            self._prepare_call(one, call)
        return effects

    def _start(self, one: LoadedExecution, start: StartStep) -> Message:
        run = one.run
        step, frame = run.plan.step(start.step_index), run.frames[start.iteration]
        assert step is not None
        block = run.blocks[frame.block] if frame.block else None
        context = step_context(run.plan, step, frame, block, run.trigger)
        seen = StepContext(one.execution_id, one.workflow_id, one.user_id, context)
        return self._starts.message(seen, step, start.attempt, start.iteration)

    def _prepare_call(self, one: LoadedExecution, call: CallWorkflow) -> None:
        key = {"step_index": call.step_index, "iteration": call.iteration, "attempt": 1}
        one.attempts.append(_attempt_row(one, call.step_index, call.iteration, 1, _NEVER, {"kind": "workflow"}))
        depth = int((one.awaited_by or {}).get("depth", 0)) + 1
        ended = {"execution_id": one.execution_id, **key, "output": None, "error": None}
        if depth > MOST_CALLS_DEEP:
            error = {"message": f"workflows call one another more than {MOST_CALLS_DEEP} deep", "permanent": True}
            one.uncalled.append({**ended, "succeeded": False, "error": error})
            return
        child = uuid7()
        caller = {"executionId": one.execution_id, "stepIndex": call.step_index, "iteration": call.iteration}
        one.calls.append(
            NewEvent(
                trigger_id=None,
                workflow_id=call.workflow_id,
                user_id=one.user_id,
                trigger_type="workflow",
                payload=dict(call.payload),
                metadata={"source": "workflow", "workflowId": one.workflow_id, "executionId": one.execution_id},
                execution_id=child,
                awaited_by={**(caller if call.awaited else {}), **_after_failure(one), "depth": depth},
            )
        )
        if not call.awaited:
            one.uncalled.append({**ended, "succeeded": True, "output": {"executionId": child}})

    def _open(self, asked: Sequence[tuple[LoadedExecution, Effects]]) -> None:
        opened: list[tuple[UUID, OpenFrames]] = [
            (one.execution_id, frames) for one, effects in asked for frames in effects.opened
        ]
        if opened:
            frames_store.open_blocks(self.connection, [(id_, one.block, one.items) for id_, one in opened])

    def _enter(self, asked: Sequence[tuple[LoadedExecution, list[int]]]) -> None:
        keys = [(one.execution_id, number) for one, numbers in asked for number in numbers]
        if not keys:
            return
        for execution_id, frame in sorted(
            frames_store.enter_frames(self.connection, keys), key=lambda found: found[1].number
        ):
            run = self.loaded[execution_id].run
            run.frames[frame.number] = frame
            run.frame_entered(frame.number)

    def _close(self, asked: Sequence[tuple[LoadedExecution, Effects]]) -> None:
        keys = [(one, (one.execution_id, *key)) for one, effects in asked for key in effects.closing]
        if not keys:
            return
        self._load_surroundings(keys)
        ended = self._ended(keys)
        for one, key in keys:
            one.run.block_ended(key[1:], ended[key])

    def _ended(self, keys: Sequence[tuple[LoadedExecution, OpenBlockKey]]) -> dict[OpenBlockKey, list[EndedFrame]]:
        lanes: list[OpenBlockKey] = []
        items: list[OpenBlockKey] = []
        for one, key in keys:
            step = one.run.plan.step(key[2])
            (lanes if step is not None and step.block is BlockType.PARALLEL else items).append(key)
        found: dict[OpenBlockKey, list[EndedFrame]] = {}
        for wanted, with_outputs in ((lanes, True), (items, False)):
            if wanted:
                found |= frames_store.ended_frames(self.connection, wanted, lanes=with_outputs)
        return found

    def _load_surroundings(self, keys: Sequence[tuple[LoadedExecution, OpenBlockKey]]) -> None:
        """The frames in which the blocks stand, where they are not loaded yet."""
        roots = [one for one, key in keys if key[1] == ROOT and not one.complete]
        if roots:
            data = store.root_data(self.connection, [one.execution_id for one in roots])
            for one in roots:
                one.run.trigger, outputs = data[one.execution_id]
                root = one.run.frames[ROOT]
                root.outputs = {**outputs, **root.recorded}
                one.complete = True
        inner = [(key[0], key[1]) for one, key in keys if key[1] != ROOT and key[1] not in one.run.frames]
        if inner:
            self.load_frames(inner)

    def load_frames(self, keys: Sequence[tuple[UUID, int]]) -> None:
        """Frames that a fact is about, with their blocks."""
        for execution_id, frame, block in frames_store.load_frames(self.connection, keys):
            run = self.loaded[execution_id].run
            run.frames.setdefault(frame.number, frame)
            run.blocks.setdefault(block.key, block)

    def load_blocks(self, keys: Sequence[OpenBlockKey]) -> None:
        for execution_id, block in frames_store.load_blocks(self.connection, keys):
            self.loaded[execution_id].run.blocks.setdefault(block.key, block)

    def _save(self, loaded: Iterable[LoadedExecution]) -> None:
        """Frames that are over need not be kept at hand after that."""
        frames: list[tuple[UUID, Frame]] = []
        blocks: list[tuple[UUID, OpenBlock]] = []
        for one in loaded:
            inner = [frame for frame in one.run.frames.values() if frame.number != ROOT]
            frames += [(one.execution_id, frame) for frame in inner]
            blocks += [(one.execution_id, block) for block in one.run.blocks.values()]
        if frames or blocks:
            frames_store.save(self.connection, frames, blocks)
        for execution_id, frame in frames:
            frame.recorded = {}
            if frame.status in {FrameStatus.COMPLETED, FrameStatus.FAILED}:
                del self.loaded[execution_id].run.frames[frame.number]

    # What follows

    def _call(self, loaded: Sequence[LoadedExecution]) -> None:
        new = [event for one in loaded for event in one.calls]
        if new:
            intake.record(self.connection, new)
            self.messages += intake.messages(new, self._starts.inline_limit)
        self.end_waits([row for one in loaded for row in one.uncalled])

    def end_waits(self, rows: Sequence[dict[str, Any]]) -> None:
        if rows:
            self.messages += wait_messages(waits_store.end_waits(self.connection, rows))

    def refuse(self, dropped: Sequence[tuple[UUID, dict[str, Any] | None, str]]) -> None:
        """Events that lead to no execution: who waits for one is told why. (event id, awaited by, reason)"""
        refusals = [(id_, awaited_by, reason) for id_, awaited_by, reason in dropped if awaited_by]
        self.end_waits([_refused(by, reason) for _, by, reason in refusals if "executionId" in by])
        callers = [
            (id_, Answer(409, {}, {"success": False, "error": reason}))
            for id_, by, reason in refusals
            if "caller" in by
        ]
        if callers:
            self.answered += answers.keep(self.connection, callers)

    def publish_to(self, post_commit: PostCommit) -> None:
        """What is left to be done after the commit."""
        post_commit.messages += self.messages
        post_commit.answered += self.answered
        post_commit.freed |= self.freed

    def _cancel_called(self, callers: Sequence[UUID]) -> None:
        """Nobody awaits the executions any more that these have called."""
        if callers:
            self.follow(cancellation.cancel_called(self.connection, callers))

    def follow(self, ended: Sequence[EndedExecution]) -> None:
        """What follows when executions are over."""
        if ended:
            post_commit = completion.follow(self.connection, ended, self._starts.inline_limit)
            self.messages += post_commit.messages
            self.answered += post_commit.answered
            self.freed |= post_commit.freed

    def _answer(self) -> None:
        """RESPOND steps: before the end of the execution gives an answer of its own."""
        given = [
            (one.event_id, Answer(one.response.status, dict(one.response.headers), one.response.body))
            for one in self.loaded.values()
            if one.response is not None and one.event_id is not None
        ]
        if given:
            self.answered += answers.keep(self.connection, given)


_NEVER = datetime(9999, 1, 1, tzinfo=UTC)


def _after_failure(one: LoadedExecution) -> dict[str, Any]:
    return {completion.AFTER_FAILURE: True} if completion.follows_a_failure(one.trigger_type, one.awaited_by) else {}


def _refused(caller: dict[str, Any], reason: str) -> dict[str, Any]:
    """The step whose call led to nothing, as waits_store.end_waits takes it."""
    return {
        "execution_id": caller["executionId"],
        "step_index": caller["stepIndex"],
        "iteration": caller["iteration"],
        "attempt": 1,
        "succeeded": False,
        "output": None,
        "error": {"message": reason, "permanent": True},
    }


def _attempt_row(
    one: LoadedExecution,
    step_index: int,
    iteration: int,
    attempt: int,
    due_at: datetime | None,
    waiting: dict[str, Any] | None = None,
) -> dict[str, Any]:
    return {
        "execution_id": one.execution_id,
        "step_index": step_index,
        "iteration": iteration,
        "attempt": attempt,
        "workflow_id": one.workflow_id,
        "state": "QUEUED" if waiting is None else "WAITING",
        "due_at": due_at,
        "waiting": waiting,
    }


def _waiting(wait: Wait) -> dict[str, Any]:
    return {"kind": wait.kind, "failsWhenDue": wait.fails_when_due, "message": wait.message}
