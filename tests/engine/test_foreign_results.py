"""What executors of other implementations send back holds no secret once it is stored."""

from __future__ import annotations

from typing import Any

import pytest

from flowforge import events
from flowforge.engine.log_sink import LogSink
from flowforge.engine.orchestrator import Orchestrator
from flowforge.events import ExecutionResult
from flowforge.secrets import MASK
from tests.engine.pipeline import OWNER, Pipeline, working
from tests.logged_data import logged_data
from tests.waiting import eventually

URL = "https://hooks.slack.test/services/T1/B2/very-secret"
SLACK = {"type": "SLACK_MESSAGE", "config": {"webhookUrl": URL, "message": "Hi"}}
HTTP = {
    "type": "HTTP_REQUEST",
    "config": {"url": "https://x.test/?token=very-secret", "headers": {"X-Api-Key": "k-12345"}},
}


def answer_of_another(pipeline: Pipeline, action: dict[str, Any], **said: Any) -> tuple[Any, str]:
    """The execution whose step another executor ran, and all that the log has of it."""
    workflow = pipeline.workflow(action)
    with working(pipeline.backends, Orchestrator, LogSink):
        event = pipeline.accept(workflow.id)
        row = pipeline.started(event.event_id)
        ids = {"executionId": str(row.id), "workflowId": str(workflow.id), "userId": str(OWNER)}
        result = ExecutionResult.model_validate({**ids, "stepIndex": 0, **said})
        pipeline.publish(events.EXECUTION_RESULT, result)
        done = pipeline.finished(event.event_id)
        log = eventually(lambda: _log_of(pipeline, "RESULT"))
    return done, log


def _log_of(pipeline: Pipeline, event_type: str) -> str:
    with pipeline.backends.engine.connect() as connection:
        return " ".join(map(str, logged_data(connection, event_type)))


@pytest.mark.parametrize(
    ("action", "told", "kept"),
    [
        (SLACK, f"POST {URL} answered 404", f"POST {MASK} answered 404"),
        (HTTP, "GET https://x.test/?token=very-secret: k-12345", f"GET https://x.test/?token={MASK}: {MASK}"),
    ],
    ids=["the address", "by their names"],
)
def test_an_error_text_is_masked(pipeline: Pipeline, action: dict[str, Any], told: str, kept: str) -> None:
    done, log = answer_of_another(pipeline, action, status="FAILURE", errorMessage=told)
    assert (done.status, done.error["message"]) == ("FAILED", kept)
    assert kept in log
    assert "very-secret" not in log


def test_an_output_is_masked(pipeline: Pipeline) -> None:
    output = {"called": URL, "status": 200}
    done, log = answer_of_another(pipeline, SLACK, status="SUCCESS", output=output)
    assert done.step_outputs == {"step_0": {"called": MASK, "status": 200}}
    assert "very-secret" not in log
