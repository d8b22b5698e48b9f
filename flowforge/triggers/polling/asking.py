"""Running the action that looks for a trigger: as a step that stands alone, and belongs to no execution."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from flowforge.connectors.catalog import load_catalog
from flowforge.connectors.polls import Recall
from flowforge.connectors.sdk import ConnectionBroken, ConnectorError
from flowforge.engine.plans import Version
from flowforge.engine.step_runner import StepRun, StepRunner
from flowforge.errors import Problem
from flowforge.events import ExecutionStart
from flowforge.ids import uuid7
from flowforge.jsonio import JsonObject
from flowforge.language.check import check
from flowforge.language.definition import read
from flowforge.language.plan import compile_plan
from flowforge.wiring import Backends

_NO_ID = UUID(int=0)
_SHORTEST_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Question:
    """An action and its config, whose expressions see `known` as the trigger's data. `deadline`: by
    time.monotonic."""

    action_type: str
    config: JsonObject
    user_id: UUID
    known: JsonObject
    deadline: float
    workflow_id: UUID = _NO_ID
    recall: Recall = field(default_factory=Recall)


def ask(backends: Backends, question: Question) -> JsonObject:
    """The output of the action. Raises ConnectorError, in which no secret stands."""
    start = _start(question)
    outcome = StepRunner(backends, load_catalog()).run(
        StepRun(start, _version(question), is_trial=True, recall=question.recall)
    )
    if outcome.failure is None:
        return dict(outcome.output)
    message = outcome.failure.message
    if outcome.waits_for is not None:
        raise ConnectionBroken(message, outcome.waits_for)
    raise ConnectorError(message, outcome.failure.permanent, outcome.failure.retry_after)


def problems_of_expressions(action_type: str, config: JsonObject) -> list[Problem]:
    """Problems of the expressions in the config of an action that is asked, with pointers into it."""
    definition = read({"name": "poll", **_definition(action_type, config)}).definition
    found = check(definition) if definition is not None else []
    inside = "/actions/0/config"
    return [Problem(each.pointer.removeprefix(inside), each.message) for each in found]


def _start(question: Question) -> ExecutionStart:
    return ExecutionStart(
        execution_id=uuid7(),
        workflow_id=question.workflow_id,
        user_id=question.user_id,
        step_index=0,
        action_type=question.action_type,
        action_config=question.config,
        trigger_payload=question.known,
        context={"trigger": question.known, "steps": {}},
    )


def _version(question: Question) -> Version:
    seconds = max(question.deadline - time.monotonic(), _SHORTEST_SECONDS)
    plan = compile_plan(_definition(question.action_type, question.config, timeout=seconds), templated=True)
    return Version(uuid7(), question.workflow_id, "", plan)


def _definition(action_type: str, config: JsonObject, **policies: Any) -> JsonObject:
    return {"actions": [{"id": "poll", "type": action_type, "config": config, **policies}]}
