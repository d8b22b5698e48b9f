"""The log sink: every message of the topics becomes a line in the log store, once, and is sent to live viewers."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from redis.exceptions import RedisError

from flowforge import events, jsonio
from flowforge.connectors.catalog import load_catalog
from flowforge.db.engine import Connection, unavailable_when_down
from flowforge.engine.completion import PostCommit
from flowforge.engine.consumer import Received
from flowforge.engine.foreign_results import ForeignResults, is_foreign
from flowforge.engine.plans import Plans
from flowforge.events import ExecutionEvent, ExecutionResult, ExecutionStart, TopicMessage, TriggerEvent
from flowforge.jsonio import JsonObject
from flowforge.live import announce
from flowforge.logbook import DATA_LIMIT_BYTES, LogEntry, NewEntry
from flowforge.secrets import MASK, is_sealed
from flowforge.wiring import Backends

logger = logging.getLogger(__name__)

BATCH = 500


class LogSink:
    name = "log-sink"
    topics = (events.TRIGGER_EVENTS, events.EXECUTION_START, events.EXECUTION_RESULT, events.EXECUTION_EVENTS)
    patience = 1.0
    loads_references = False
    pace = 0.05
    """Only people wait for the log, and a batch costs much more than a line."""

    def __init__(self, backends: Backends) -> None:
        self.group = backends.settings.group_log_sink
        self._backends = backends
        self._catalog = load_catalog()
        self._foreign_results = ForeignResults(backends, Plans())

    def room(self) -> int:
        return BATCH

    def handle(self, received: Sequence[Received]) -> None:
        self.write([delivery.message for delivery in received])

    def write(self, messages: Sequence[TopicMessage]) -> None:
        """Writes a line for each message, unless it is there already."""
        entries = [self._entry(message) for message in sorted(self._without_secrets(messages), key=_when)]
        self._announce(self._backends.logbook.append(entries))

    def give_up(self, _connection: Connection, _message: TopicMessage, _error: Exception) -> PostCommit:
        """Ends nothing: all that is missing is a line."""
        return PostCommit()

    def tick(self) -> None:
        """Nothing is due by time."""

    def stop(self) -> None:
        """Nothing is in flight between two batches."""

    def _announce(self, entries: Sequence[LogEntry]) -> None:
        """Publishes lines to live viewers, where there are any; one that misses a line finds it in the store."""
        try:
            announce(self._backends.redis, entries)
        except RedisError as error:
            logger.warning("%d log lines were not announced: %s", len(entries), error)

    def _without_secrets(self, messages: Sequence[TopicMessage]) -> Sequence[TopicMessage]:
        """The messages, those of other implementations' executors masked."""
        foreign = [message for message in messages if is_foreign(message)]
        if not foreign:
            return messages
        with unavailable_when_down(), self._backends.engine.connect() as connection:
            masked = self._foreign_results.masked(connection, foreign)
        return [*(message for message in messages if not is_foreign(message)), *masked]

    def _entry(self, message: TopicMessage) -> NewEntry:
        match message:
            case TriggerEvent():
                return _trigger_entry(message)
            case ExecutionStart():
                config = message.action_config if message.shown_config is None else message.shown_config
                return _start_entry(message, _without_sealed(self._catalog.mask(message.action_type, config)))
            case ExecutionResult():
                return _result_entry(message)
            case ExecutionEvent():
                return _event_entry(message)
        raise TypeError(f"{type(message).__name__} is not logged")


def _when(message: TopicMessage) -> float:
    """The time of a message, in seconds since 1970: a batch comes from several topics, and is written in this order."""
    moment = getattr(message, "timestamp", None)
    return moment.timestamp() if moment is not None else 0.0


def _trigger_entry(message: TriggerEvent) -> NewEntry:
    return NewEntry(
        dedup_key=key_of_event(message.event_id),
        user_id=message.user_id,
        workflow_id=message.workflow_id,
        execution_id=None,
        event_id=message.event_id,
        event_type="TRIGGER",
        status="FIRED",
        data=_data(message),
    )


def _start_entry(message: ExecutionStart, shown_config: JsonObject) -> NewEntry:
    """Leaves the context out: it repeats the trigger's payload and every earlier output."""
    shown = {"action_config": shown_config, "shown_config": None, "context": {}, "trigger_payload": {}}
    lean = message.model_copy(update=shown)
    attempt = f"{message.step_index}:{message.iteration}:{message.attempt}"
    return _execution_entry(message, f"start:{message.key}:{attempt}", "START", "STARTED", _data(lean))


def _result_entry(message: ExecutionResult) -> NewEntry:
    key = key_of_result(message.execution_id, message.step_index, message.iteration, message.attempt or 1)
    data = _data(message) | ({"truncated": True} if message.by_reference else {})
    return _execution_entry(message, key, "RESULT", message.status, data)


def key_of_event(event_id: UUID) -> str:
    """The key of the line that says that a trigger has fired."""
    return f"trigger:{jsonio.format_id(event_id)}"


def key_of_execution(execution_id: UUID, status: str, *attempt: int) -> str:
    """The key of the line that says that an execution has that status; `attempt` (step index, iteration, number) is the
    one that failed before a retry."""
    return ":".join(["execution", jsonio.format_id(execution_id), status, *map(str, attempt)])


def key_of_result(execution_id: UUID, step_index: int, iteration: int, attempt: int) -> str:
    """The key of the line that says how an attempt has ended."""
    return f"result:{jsonio.format_id(execution_id)}:{step_index}:{iteration}:{attempt}"


def _event_entry(message: ExecutionEvent) -> NewEntry:
    if message.line_id is not None:
        return _execution_entry(message, f"line:{message.line_id}", "LOG", message.status, _data(message))
    failed = () if message.attempt is None else (message.step_index or 0, message.iteration or 0, message.attempt)
    key = key_of_execution(message.execution_id, message.status, *failed)
    return _execution_entry(message, key, "EXECUTION", message.status, _data(message))


def _execution_entry(
    message: ExecutionStart | ExecutionResult | ExecutionEvent,
    dedup_key: str,
    event_type: str,
    status: str,
    data: JsonObject,
) -> NewEntry:
    return NewEntry(
        dedup_key=dedup_key,
        user_id=message.user_id,
        workflow_id=message.workflow_id,
        execution_id=message.execution_id,
        event_id=None,
        event_type=event_type,
        status=status,
        data=data,
    )


def _data(message: TopicMessage) -> JsonObject:
    """The whole message, unless it is too long for a line of the log."""
    data = {name: _as_json(value) for name, value in message.fields().items()}
    size = len(jsonio.dumps(data))
    if size <= DATA_LIMIT_BYTES:
        return data
    bulky = {"payload", "output", "actionConfig"}
    return {name: value for name, value in data.items() if name not in bulky} | {
        "truncated": True,
        "bytes": size,
    }


def _as_json(value: Any) -> Any:
    """What stands in a field, as its text says it; free JSON is that already."""
    match value:
        case UUID():
            return jsonio.format_id(value)
        case datetime():
            return jsonio.format_time(value)
    return value


def _without_sealed(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_sealed(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_without_sealed(inner) for inner in value]
    return MASK if is_sealed(value) else value
