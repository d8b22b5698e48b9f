"""A list of a thousand pages, read by executors that are killed."""

from __future__ import annotations

import json

import pytest

from flowforge.engine.orchestrator import Orchestrator
from flowforge.settings import Settings
from tests.engine.consumer_processes import kill, started
from tests.engine.pipeline import Pipeline, working
from tests.services.serving import JsonExchange, JsonServer, serving
from tests.waiting import eventually

PAGES = 1_000

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"step_lease_seconds": 3.0})


@pytest.fixture
def redelivery_grace() -> float:
    return 0.2


class Api(JsonServer):
    """Gives a thousand pages of one item each; notes which were asked for, and under which keys."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, str | None]] = []
        super().__init__(_Page)


class _Page(JsonExchange):
    server: Api

    def do_GET(self) -> None:  # noqa: N802
        number = int(self.path.partition("page=")[2])
        self.server.asked.append((number, self.headers["Idempotency-Key"]))
        self.answer(json.dumps({"items": [{"n": number}], "pages": PAGES}).encode())


def test_every_item_comes_once_though_the_executor_is_killed_three_times(
    pipeline: Pipeline, settings: Settings
) -> None:
    paging = {"by": "page", "pageCount": "body.pages"}
    api = Api()
    with serving(api), working(pipeline.backends, Orchestrator):
        workflow = pipeline.workflow({"type": "HTTP_REQUEST", "config": {"url": f"{api.url}/", "paging": paging}})
        executor = started(settings)
        event = pipeline.accept(workflow.id)
        for share in (0.2, 0.4, 0.7):
            eventually(lambda share=share: len(api.asked) > share * PAGES, seconds=60)  # type: ignore[misc]
            kill(executor)
            executor = started(settings)
            eventually(lambda: pipeline.resend().leases, seconds=60)
        done = eventually(lambda: pipeline.resend() and pipeline.over(event.event_id), seconds=120, every=0.5)
        kill(executor)
    assert done.status == "COMPLETED", done.error
    output = done.step_outputs["step_0"]
    assert [item["n"] for item in output["items"]] == list(range(1, PAGES + 1))
    assert (output["pages"], output["complete"]) == (PAGES, True)
    assert len(api.asked) <= PAGES + 3, "only the page that an executor died with is read again"
    assert len(set(api.asked)) == PAGES, "a repeated call must carry the same Idempotency-Key"
