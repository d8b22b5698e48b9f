"""An agent whose executors and orchestrators are killed between its rounds and the calls of its tools."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from flowforge.jsonio import JsonObject
from flowforge.settings import Settings
from tests.engine.consumer_processes import end_of
from tests.engine.pipeline import Pipeline
from tests.services.language_model import LanguageModel, answers, calls, results
from tests.services.serving import serving

ROUNDS, CALLS = 15, 3

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"step_lease_seconds": 3.0})


@pytest.fixture
def redelivery_grace() -> float:
    return 0.2


def note(number: int) -> tuple[str, JsonObject]:
    return "note", {"number": number}


def says(messages: Sequence[JsonObject]) -> JsonObject:
    """It notes three numbers in each round, until all are noted."""
    noted = len(results(messages))
    return answers(f"{noted} noted") if noted == ROUNDS * CALLS else calls(*map(note, range(noted, noted + CALLS)))


def noting(model: LanguageModel) -> JsonObject:
    parameters = {"type": "object", "properties": {"number": {"type": "integer"}}, "required": ["number"]}
    send = {"type": "HTTP_REQUEST", "config": {"method": "POST", "url": model.url + "/{{ arguments.number }}"}}
    config = {"description": "Notes a number", "parameters": parameters}
    tool = {"id": "note", "type": "TOOL", "config": config, "actions": [send]}
    return {
        "type": "AGENT",
        "config": {"maxRounds": ROUNDS + 1},
        "actions": [{"type": "LLM", "config": model.config}, tool],
    }


def test_every_call_is_done_once_though_executors_and_orchestrators_are_killed(
    pipeline: Pipeline, settings: Settings
) -> None:
    model = LanguageModel(says)
    with serving(model):
        event = pipeline.accept(pipeline.workflow(noting(model)).id, {"question": "Which numbers are there?"})
        done = end_of(event, pipeline, settings, lambda: len(model.calls) / (ROUNDS * CALLS))
    assert done.status == "COMPLETED", done.error
    assert done.step_outputs["step_0"]["text"] == f"{ROUNDS * CALLS} noted"
    assert done.step_outputs["step_0"]["rounds"] == ROUNDS + 1
    once = [path for path, _ in dict.fromkeys(model.calls)]  # a repeated call carries the same Idempotency-Key
    assert once == [f"/{number}" for number in range(ROUNDS * CALLS)]
