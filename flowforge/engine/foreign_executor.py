"""The executor's place where another implementation runs the steps (EXECUTOR=foreign, contract.md, section 3).

It takes execution.dispatch, a topic of ours, claims the attempt for as long as the step may take, and hands the step
over on execution.start, as somebody needs it who knows neither our expressions nor our database: its config computed,
payload and context whole. The result comes from there; if none has come when the time is over, the attempt is treated
as that of an executor that died.
"""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from flowforge import events
from flowforge.bus import Message
from flowforge.connectors.catalog import Catalog, load_catalog
from flowforge.connectors.sdk import CONNECTION
from flowforge.db import attempts_store
from flowforge.db.attempt_rows import AttemptKey
from flowforge.db.attempts_store import Claim, WantedAttempt
from flowforge.db.engine import Connection, transaction
from flowforge.engine.completion import PostCommit
from flowforge.engine.consumer import Received
from flowforge.engine.failure_reason import reason_of
from flowforge.engine.finished import Finished
from flowforge.engine.plans import Plans
from flowforge.engine.start_messages import StartMessages
from flowforge.engine.step_runner import Outcome, ReadyConfig, StepRun, StepRunner, key_of
from flowforge.errors import Unavailable
from flowforge.events import ExecutionStart, TopicMessage
from flowforge.execution.retry import Failure
from flowforge.ids import member_name
from flowforge.jsonio import JsonObject
from flowforge.wiring import Backends

logger = logging.getLogger(__name__)

_AT_ONCE = 100
_LOOK_SECONDS = 1.0
_LATE_SECONDS = 5.0
"""Time that a result may be on its way after the step's time limit."""
_SECRETS_STAY = "the step uses a secret, which an executor of others gets only with TOPIC_SECRETS_IN_CLEAR=true"

Starts = Mapping[AttemptKey, ExecutionStart]


@dataclass(frozen=True, slots=True)
class _Step:
    """A step that is handed over, and what becomes of it: a message, or a failure of ours."""

    start: ExecutionStart
    time_limit: float
    outcome: Message | Outcome


class ForeignExecutor:
    name = "executor"
    topics = (events.EXECUTION_DISPATCH,)
    pace = 0.0
    loads_references = True
    patience = _LOOK_SECONDS

    def __init__(self, backends: Backends, catalog: Catalog | None = None) -> None:
        settings = backends.settings
        self.group = settings.group_executor
        self._backends = backends
        self._owner = member_name(self.name)
        self._in_clear = settings.topic_secrets_in_clear
        self._most_bytes = settings.kafka_message_max_bytes
        self._plans = Plans()
        self._catalog = catalog or load_catalog()
        self._starts = StartMessages(settings, self._plans, self._catalog, backends.vault)
        self._runner = StepRunner(backends, self._catalog)
        self._next_look = 0.0

    def room(self) -> int:
        return _AT_ONCE

    def handle(self, received: Sequence[Received]) -> None:
        messages = [delivered.message for delivered in received]
        self._hand_over({key_of(start): start for start in messages if isinstance(start, ExecutionStart)})

    def give_up(self, connection: Connection, message: TopicMessage, error: Exception) -> PostCommit:
        """Fails a step that cannot be handed over: it would be redelivered for ever."""
        if isinstance(message, ExecutionStart):
            attempts_store.refuse(connection, key_of(message), reason_of(error))
        return PostCommit()

    def tick(self) -> None:
        """Hands over what is parked: steps whose time was over without a result, and those that Kafka did not take."""
        if time.monotonic() < self._next_look:
            return
        with transaction(self._backends.engine) as connection:
            parked = attempts_store.find_parked(connection, full=[], after=None, each=_AT_ONCE, limit=_AT_ONCE)
        for key in parked:
            self._hand_over_parked(key)
        self._next_look = 0.0 if len(parked) == _AT_ONCE else time.monotonic() + _LOOK_SECONDS

    def stop(self) -> None:
        """Nothing is in flight between two batches."""

    def _hand_over_parked(self, key: AttemptKey) -> None:
        try:
            with transaction(self._backends.engine) as connection:
                messages = self._starts.remake(connection, [key])
            starts = [ExecutionStart.decode(message.value) for message in messages]
            self._hand_over({key_of(start): start for start in starts}, in_order=False)
        except Unavailable:
            raise
        except Exception as error:
            logger.exception("a step could not be handed over")
            with transaction(self._backends.engine) as connection:
                attempts_store.refuse(connection, key, reason_of(error))

    def _hand_over(self, starts: Starts, *, in_order: bool = True) -> None:
        """Claims the attempts, then publishes: whoever dies in between leaves them to their leases."""
        wanted = [
            WantedAttempt(key.execution_id, key.step_index, key.iteration, key.attempt, begins=False) for key in starts
        ]
        if not wanted:
            return
        lease = self._backends.settings.step_lease_seconds
        with transaction(self._backends.engine) as connection:
            claims = attempts_store.claim(connection, wanted, owner=self._owner, lease=lease, in_order=in_order)
            steps = self._complete(connection, claims, starts)
            self._write(connection, steps)
        self._publish(steps)

    def _complete(self, connection: Connection, claims: Sequence[Claim], starts: Starts) -> dict[AttemptKey, _Step]:
        versions = self._plans.get(connection, {claim.version_id for claim in claims if claim.version_id})
        large = self._starts.load(connection, [claim.key for claim in claims if starts[claim.key].by_reference])
        steps = {}
        for claim in claims:
            start = starts[claim.key]
            if claim.key in large:
                start = _with_data(start, large[claim.key].context.context)
            run = StepRun(start, versions.get(claim.version_id) if claim.version_id else None, claim.repeats)
            limit = self._runner.time_limit(run)
            steps[claim.key] = _Step(start, limit, self._outcome(run))
        return steps

    def _outcome(self, run: StepRun) -> Message | Outcome:
        ready = self._runner.ready(run)
        if isinstance(ready, Outcome):
            return ready
        if ready.uses_secrets and not self._in_clear:
            return _failed(_SECRETS_STAY)
        message = Message.of(events.EXECUTION_START, self._ready_start(run.start, ready))
        if len(message.value) > self._most_bytes:
            size, most = f"{len(message.value):,}", f"{self._most_bytes:,}"
            return _failed(f"the step and its data have {size} bytes; Kafka takes {most} (KAFKA_MESSAGE_MAX_BYTES)")
        return message

    def _ready_start(self, start: ExecutionStart, ready: ReadyConfig) -> ExecutionStart:
        shown = self._runner.readable(start.action_type, ready) if ready.uses_secrets else None
        config = self._config(start.action_type, ready)
        made = {"action_config": config, "shown_config": shown, "timestamp": datetime.now(UTC)}
        return start.model_copy(update=made)

    def _config(self, action_type: str, ready: ReadyConfig) -> JsonObject:
        config = {name: value for name, value in ready.usable.items() if name != CONNECTION}
        if self._in_clear:
            return config
        return self._catalog.seal(action_type, config, self._backends.vault, None, literal=True)

    def _write(self, connection: Connection, steps: Mapping[AttemptKey, _Step]) -> None:
        """Notes that calls begin, each for its own time, and how steps have ended that are not handed over."""
        by_limit: dict[float, list[AttemptKey]] = defaultdict(list)
        failed = []
        for key, step in steps.items():
            if isinstance(step.outcome, Message):
                by_limit[step.time_limit].append(key)
            else:
                failed.append(_finished(step).result())
        for limit, keys in by_limit.items():
            attempts_store.begin(connection, self._owner, keys, limit + _LATE_SECONDS)
        if failed:
            attempts_store.hand_in(connection, self._owner, failed)

    def _publish(self, steps: Mapping[AttemptKey, _Step]) -> None:
        """Publishes the steps. What Kafka does not take now is parked again, and handed over later; what it refuses
        raises its error."""
        messages = [
            step.outcome if isinstance(step.outcome, Message) else _finished(step).message() for step in steps.values()
        ]
        try:
            self._backends.bus.publish(messages)
        except Exception as error:
            with transaction(self._backends.engine) as connection:
                attempts_store.give_back(connection, self._owner, list(steps))
            if not isinstance(error, Unavailable):
                raise
            logger.warning("%d steps wait to be handed over: %s", len(messages), error)


def _with_data(start: ExecutionStart, context: JsonObject) -> ExecutionStart:
    whole = {"trigger_payload": context.get("trigger") or {}, "context": context, "by_reference": None, "size": None}
    return start.model_copy(update=whole)


def _finished(step: _Step) -> Finished:
    assert isinstance(step.outcome, Outcome)
    return Finished(step.start, step.outcome, datetime.now(UTC))


def _failed(message: str) -> Outcome:
    return Outcome(failure=Failure(message, permanent=True))
