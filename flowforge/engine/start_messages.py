"""The execution.start message of a step: made from what the orchestrator has loaded, or again from PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from flowforge.bus import Message
from flowforge.connectors.catalog import Catalog
from flowforge.db import ending_store, executions_store, frames_store, sizes_store
from flowforge.db.attempt_rows import AttemptKey, as_plain
from flowforge.db.engine import Connection
from flowforge.db.executions_store import RunningExecution
from flowforge.db.frames_store import FrameKey, LoadedFrame
from flowforge.db.variables_store import NO_VALUES, Values
from flowforge.engine.fair_queue import Admission
from flowforge.engine.plans import Plans, Version
from flowforge.events import ExecutionStart
from flowforge.execution.context import step_context
from flowforge.execution.state import ROOT, Frame
from flowforge.fair_shares import Holders
from flowforge.jsonio import JsonObject
from flowforge.language.expressions.resolving import VARIABLES
from flowforge.language.plan import Plan, Step
from flowforge.resume_links import ResumeLinks
from flowforge.secrets import Vault
from flowforge.settings import Settings
from flowforge.wiring import log_topic, start_topic

_REMADE_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class StepContext:
    """The execution and its owner, and what a step of it sees (flowforge.execution.context)."""

    execution_id: UUID
    workflow_id: UUID
    user_id: UUID
    context: JsonObject


@dataclass(frozen=True, slots=True)
class LoadedStart:
    """A step that is to be run, and what it sees."""

    context: StepContext
    step: Step
    left_out: int | None = None
    """Estimated bytes of what it sees, where that is too large to be loaded: then the context has no data."""


Admit = Callable[[Holders, str], Admission]
"""What becomes of a step, of these holders and that type, in the executor that works it out: unless that is crowded, it
claims it, too."""


@dataclass(frozen=True, slots=True)
class StartMessage:
    """The message of an attempt, and what becomes of it where the attempt is claimed with it."""

    message: Message
    admission: Admission = Admission.CROWDED

    @property
    def is_claimed(self) -> bool:
        return self.admission is not Admission.CROWDED


class StartMessages:
    """Makes execution.start messages as the settings want them."""

    def __init__(self, settings: Settings, plans: Plans, catalog: Catalog, vault: Vault) -> None:
        self._plans = plans
        self.inline_limit = settings.payload_inline_limit
        self._in_clear = settings.topic_secrets_in_clear and not settings.has_foreign_executor
        self._topic = start_topic(settings)
        self._log_topic = log_topic(settings, self._topic)
        self._catalog = catalog
        self._vault = vault

    def message(
        self, source: StepContext, step: Step, attempt: int, iteration: int = ROOT, *, left_out: int | None = None
    ) -> Message:
        """Makes the message of one attempt. One that is larger than the inline limit goes without payload and context:
        PostgreSQL holds them, and `left_out` is their size."""
        message = self._message(source, step, attempt, iteration, left_out=left_out)
        if len(message.value) > self.inline_limit and left_out is None:
            return self._message(source, step, attempt, iteration, left_out=len(message.value))
        return message

    def claimed_or_not(
        self, source: StepContext, step: Step, attempt: int, iteration: int, admit: Admit | None
    ) -> StartMessage:
        """Makes the message of one attempt, which is claimed if `admit` has room for it. One that is larger than the
        inline limit is not."""
        admission = Admission.CROWDED if admit is None else admit((source.workflow_id, source.user_id), step.type)
        if admission is not Admission.CROWDED:
            message = self._message(source, step, attempt, iteration, is_claimed=True)
            if len(message.value) <= self.inline_limit:
                return StartMessage(message, admission)
        return StartMessage(self.message(source, step, attempt, iteration))

    def _message(
        self,
        source: StepContext,
        step: Step,
        attempt: int,
        iteration: int,
        *,
        left_out: int | None = None,
        is_claimed: bool = False,
    ) -> Message:
        by_reference = left_out is not None
        start = ExecutionStart(
            execution_id=source.execution_id,
            workflow_id=source.workflow_id,
            user_id=source.user_id,
            step_index=step.index,
            action_type=step.type,
            action_config=self._config(step),
            trigger_payload={} if by_reference else source.context.get("trigger") or {},
            context={} if by_reference else source.context,
            iteration=iteration,
            attempt=attempt,
            by_reference=by_reference or None,
            timestamp=datetime.now(UTC),
            size=left_out,
            claimed=is_claimed or None,
        )
        return Message.of(self._log_topic if is_claimed else self._topic, start)

    def fails_after_crash(self, step: Step) -> bool:
        """Whether the step has failed where its executor dies in the call."""
        if step.after_crash is not None:
            return step.after_crash == "fail"
        return not self._catalog.is_repeatable(step.type, step.config)

    def remake(self, connection: Connection, keys: Sequence[AttemptKey]) -> list[Message]:
        """The messages of attempts that PostgreSQL shows as queued. In executions that are over they get none, and are
        closed. Loads what small ones carry, some at a time, and nothing of the large ones."""
        chunks = [keys[at : at + _REMADE_AT_ONCE] for at in range(0, len(keys), _REMADE_AT_ONCE)]
        return [message for chunk in chunks for message in self._remake(connection, chunk)]

    def _remake(self, connection: Connection, keys: Sequence[AttemptKey]) -> list[Message]:
        loaded = self.load(connection, keys, most_bytes=self.inline_limit)
        left = {key.execution_id for key in keys} - {key.execution_id for key in loaded}
        if left:
            ending_store.drop_leftover_attempts(connection, left)
        return [
            self.message(start.context, start.step, key.attempt, key.iteration, left_out=start.left_out)
            for key, start in loaded.items()
        ]

    def load(
        self, connection: Connection, keys: Iterable[AttemptKey], *, most_bytes: int | None = None
    ) -> dict[AttemptKey, LoadedStart]:
        """Loads what each attempt's step sees from PostgreSQL, where it is at most `most_bytes`; of running executions
        only."""
        wanted = [as_plain(key) for key in keys]
        inner = [key for key in wanted if key.iteration != ROOT]
        large = {} if most_bytes is None or not inner else sizes_store.large_frames(connection, inner, most_bytes)
        executions = executions_store.running_executions(
            connection,
            {key.execution_id for key in wanted},
            with_data={key.execution_id for key in wanted if key.iteration == ROOT},
            most_bytes=most_bytes,
        )
        versions = self._plans.get(
            connection, {execution.version_id for execution in executions.values() if execution.version_id}
        )
        small = [key for key in inner if key not in large and key.execution_id in executions]
        frames = _load_frames(connection, small)
        found: dict[AttemptKey, LoadedStart] = {}
        for key in wanted:
            execution = executions.get(key.execution_id)
            version = versions.get(execution.version_id) if execution and execution.version_id else None
            if execution is not None and version is not None:
                left_out = execution.left_out if key.iteration == ROOT else large.get(key)
                start = _loaded_start(key, execution, version.plan, frames, left_out)
                found |= {key: start} if start else {}
        return found

    def _config(self, step: Step) -> JsonObject:
        if not self._in_clear or step.type not in self._catalog:
            return step.config
        return self._catalog.open(step.type, step.config, self._vault)


def around(
    version: Version,
    execution_id: UUID,
    iteration: int,
    now: datetime,
    links: ResumeLinks,
    variables: Values = NO_VALUES,
) -> JsonObject:
    """The roots of expressions that do not come from the execution's data. `variables`: those of the account."""
    return {
        "workflow": version.root,
        "execution": {"id": str(execution_id)},
        "now": now,
        VARIABLES: variables,
        "resume": links.of_frame(version.plan, execution_id, iteration),
    }


Frames = Mapping[FrameKey, LoadedFrame]


def _load_frames(connection: Connection, keys: Iterable[AttemptKey]) -> Frames:
    wanted = sorted({FrameKey(key.execution_id, key.iteration) for key in keys})
    loaded = frames_store.load_frames(connection, wanted) if wanted else []
    return {FrameKey(found.execution_id, found.frame.number): found for found in loaded}


def _loaded_start(
    key: AttemptKey, execution: RunningExecution, plan: Plan, frames: Frames, left_out: int | None
) -> LoadedStart | None:
    """None where the step or its frame does not exist."""
    step = plan.step(key.step_index)
    if step is not None and left_out is not None:
        return LoadedStart(StepContext(execution.id, execution.workflow_id, execution.user_id, {}), step, left_out)
    loaded = frames.get(FrameKey(key.execution_id, key.iteration))
    if step is None or (loaded is None and key.iteration != ROOT):
        return None
    frame, block = (loaded.frame, loaded.block) if loaded else (Frame(outputs=execution.outputs or {}), None)
    context = step_context(plan, step, frame, block, execution.payload or {})
    return LoadedStart(StepContext(execution.id, execution.workflow_id, execution.user_id, context), step)
