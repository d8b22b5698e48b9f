"""The messages of the topics, as the wire contract has them (contract.md, section 3.2).

Every field of ours that the contract does not know is optional and comes last. Reading is lenient (unknown fields are
ignored, absent and null mean the same), writing is exact.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from flowforge import jsonio
from flowforge.jsonio import JsonObject

TRIGGER_EVENTS = "trigger.events"
EXECUTION_START = "execution.start"
EXECUTION_RESULT = "execution.result"
EXECUTION_EVENTS = "execution.events"
"""A topic of ours, beside the contract's three: what the log and the live view show besides them, and steps of which
nobody else has to hear (flowforge.wiring.log_topic)."""
EXECUTION_DISPATCH = "execution.dispatch"
"""A topic of ours: steps that are to be made ready for another implementation's executor."""
DEAD_LETTERS = "flowforge.dead-letters"

TOPICS = (TRIGGER_EVENTS, EXECUTION_START, EXECUTION_RESULT, EXECUTION_EVENTS, DEAD_LETTERS)


class UnreadableMessage(ValueError):
    """The bytes on a topic are not a message of that topic; the text says why."""


def _object(value: Any) -> Any:
    return {} if value is None else value


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def _result_status(value: Any) -> str:
    """SUCCESS in any case; anything else counts as a failure (contract.md, 3.2)."""
    return "SUCCESS" if isinstance(value, str) and value.upper() == "SUCCESS" else "FAILURE"


def _time(value: Any) -> datetime:
    return value if isinstance(value, datetime) else jsonio.parse_time(value)


Time = Annotated[datetime, BeforeValidator(_time)]
_Object = Annotated[JsonObject, BeforeValidator(_object)]
"""An object; null is read as an empty one."""


class TopicMessage(BaseModel):
    """Base of the messages. `key` decides the partition: messages of one key keep their order where the bus does."""

    model_config = ConfigDict(extra="ignore", frozen=True, populate_by_name=True)

    @property
    def key(self) -> str:
        raise NotImplementedError

    @property
    def referenced_size(self) -> int:
        """Bytes of JSON that whoever handles it has to load."""
        return 0

    def encode(self, carried: Mapping[str, object] = MappingProxyType({})) -> bytes:
        """`carried`: what stands in fields of free JSON, by their names on the topic; it is not checked, and may be
        written already (`jsonio.Written`)."""
        return jsonio.dumps({**self.fields(), **carried})

    def fields(self) -> JsonObject:
        """The fields that are there, by their names on the topic."""
        return self.model_dump(by_alias=True, exclude_none=True)

    @classmethod
    def decode(cls, value: bytes) -> Self:
        """Raises UnreadableMessage."""
        return cls.of_json(_json(value))

    @classmethod
    def of_json(cls, value: Any) -> Self:
        """Raises UnreadableMessage."""
        try:
            return cls.model_validate(value)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(str(part) for part in first["loc"]) or "message"
            raise UnreadableMessage(f"{where}: {first['msg']}") from error


def _json(value: bytes) -> Any:
    try:
        return jsonio.loads(value)
    except ValueError as error:
        raise UnreadableMessage(f"not JSON: {error}") from error


_UNKNOWN_SIZE = 1024 * 1024
"""Taken for the size of data that a message refers to without saying how large they are."""


def _referenced(by_reference: bool | None, size: int | None) -> int:
    return size if size is not None else _UNKNOWN_SIZE if by_reference else 0


class TriggerEvent(TopicMessage):
    """An event was accepted. Topic `trigger.events`, key workflowId."""

    event_id: UUID = Field(alias="eventId")
    trigger_id: UUID | None = Field(None, alias="triggerId")
    workflow_id: UUID = Field(alias="workflowId")
    user_id: UUID = Field(alias="userId")
    trigger_type: Annotated[str, BeforeValidator(_lower)] = Field(alias="triggerType")
    timestamp: Time
    payload: _Object = Field(default_factory=dict)
    metadata: _Object = Field(default_factory=dict)
    by_reference: bool | None = Field(None, alias="byReference")
    """True where the payload is too large to travel: trigger_service.trigger_events holds it."""
    size: int | None = Field(None, alias="bytes")
    """Bytes of JSON of a payload that does not travel."""

    @property
    def referenced_size(self) -> int:
        return _referenced(self.by_reference, self.size)

    @property
    def key(self) -> str:
        return jsonio.format_id(self.workflow_id)


class ExecutionStart(TopicMessage):
    """Run one step. Topic `execution.start`, key executionId."""

    execution_id: UUID = Field(alias="executionId")
    workflow_id: UUID = Field(alias="workflowId")
    user_id: UUID = Field(alias="userId")
    step_index: int = Field(alias="stepIndex")
    action_type: str = Field(alias="actionType")
    action_config: _Object = Field(default_factory=dict, alias="actionConfig")
    trigger_payload: _Object = Field(default_factory=dict, alias="triggerPayload")
    context: _Object = Field(default_factory=dict)
    iteration: int = 0
    attempt: int = 1
    by_reference: bool | None = Field(None, alias="byReference")
    """True where payload and context are too large to travel: orchestrator.workflow_executions holds them."""
    timestamp: Time | None = None
    size: int | None = Field(None, alias="bytes")
    """Bytes of JSON of payload and context that do not travel."""
    shown_config: JsonObject | None = Field(None, alias="shownConfig")
    """The config as the log may hold it, where secrets have gone into it in clear."""
    claimed: bool | None = None
    """True where the executor that has worked out the step has claimed it, too: no other can."""

    @property
    def referenced_size(self) -> int:
        return _referenced(self.by_reference, self.size)

    @property
    def key(self) -> str:
        return jsonio.format_id(self.execution_id)


class ExecutionResult(TopicMessage):
    """A step has ended. Topic `execution.result`, key executionId."""

    execution_id: UUID = Field(alias="executionId")
    workflow_id: UUID = Field(alias="workflowId")
    user_id: UUID = Field(alias="userId")
    step_index: int = Field(alias="stepIndex")
    status: Annotated[Literal["SUCCESS", "FAILURE"], BeforeValidator(_result_status)]
    output: JsonObject | None = None
    error_message: str | None = Field(None, alias="errorMessage")
    iteration: int = 0
    attempt: int | None = None
    permanent: bool | None = None
    """True for a failure where trying again cannot help."""
    retry_after: float | None = Field(None, alias="retryAfter")
    """Seconds to wait before the next attempt, as the receiver demanded (Retry-After)."""
    started_at: Time | None = Field(None, alias="startedAt")
    timestamp: Time | None = None
    by_reference: bool | None = Field(None, alias="byReference")
    """True where the output is too large to travel: orchestrator.step_attempts holds it."""
    size: int | None = Field(None, alias="bytes")
    """Bytes of JSON, where there are many, of the execution's data and of an output that does not travel."""
    applied: bool | None = None
    """True where the execution has taken the result already: it is published for the log alone."""

    @property
    def referenced_size(self) -> int:
        return _referenced(self.by_reference, self.size)

    @property
    def key(self) -> str:
        return jsonio.format_id(self.execution_id)


class ExecutionEvent(TopicMessage):
    """An execution reached a state worth a log line, or one of its steps has written a line itself. Topic
    `execution.events`, key executionId."""

    execution_id: UUID = Field(alias="executionId")
    workflow_id: UUID = Field(alias="workflowId")
    user_id: UUID = Field(alias="userId")
    event_id: UUID | None = Field(None, alias="eventId")
    status: Literal["STARTED", "RETRYING", "COMPLETED", "FAILED", "CANCELLED", "INFO", "WARN", "ERROR"]
    """The last three are levels of lines that steps write."""
    step_index: int | None = Field(None, alias="stepIndex")
    iteration: int | None = None
    attempt: int | None = None
    error: JsonObject | None = None
    retry_at: Time | None = Field(None, alias="retryAt")
    timestamp: Time
    line_id: UUID | None = Field(None, alias="lineId")
    """Names a line that a step has written."""
    message: str | None = None
    """Its text."""

    @property
    def key(self) -> str:
        return jsonio.format_id(self.execution_id)


MESSAGE_TYPES: dict[str, type[TopicMessage]] = {
    TRIGGER_EVENTS: TriggerEvent,
    EXECUTION_START: ExecutionStart,
    EXECUTION_DISPATCH: ExecutionStart,
    EXECUTION_RESULT: ExecutionResult,
    EXECUTION_EVENTS: ExecutionEvent,
}


def decode(topic: str, value: bytes) -> TopicMessage:
    """Reads a message of a topic. Raises UnreadableMessage."""
    if topic != EXECUTION_EVENTS:
        return MESSAGE_TYPES[topic].decode(value)
    found = _json(value)
    return _type_of_event(found).of_json(found)


def _type_of_event(value: Any) -> type[TopicMessage]:
    if not isinstance(value, dict):
        return ExecutionEvent
    if "actionType" in value:
        return ExecutionStart
    return ExecutionResult if value.get("status") in _RESULTS else ExecutionEvent


_RESULTS = ("SUCCESS", "FAILURE")
