"""A list that is worked on page by page, by executors and orchestrators that are killed."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from flowforge.settings import Settings
from tests.engine.consumer_processes import end_of
from tests.engine.pipeline import Pipeline
from tests.services.serving import JsonExchange, JsonServer, serving

PAGES, SIZE = 25, 4
ITEMS = [page * SIZE + n for page in range(PAGES) for n in range(SIZE)]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"step_lease_seconds": 3.0})


@pytest.fixture
def redelivery_grace() -> float:
    return 0.2


class Api(JsonServer):
    """Gives pages of four items each, and takes the items; notes in which order, and under which keys."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str | None]] = []
        super().__init__(_Exchange)

    @property
    def taken(self) -> list[str]:
        """The items in the order in which they came, each call once."""
        return [path.removeprefix("/item/") for path, _ in dict.fromkeys(self.calls) if path.startswith("/item/")]


class _Exchange(JsonExchange):
    server: Api

    def do_GET(self) -> None:  # noqa: N802
        self.server.calls.append((self.path, self.headers["Idempotency-Key"]))
        page = int(self.path.rpartition("=")[2]) if "=" in self.path else 0
        items = [page * SIZE + n for n in range(SIZE)]
        following = f"/pages?after={page + 1}" if page + 1 < PAGES else None
        self.answer(json.dumps({"items": items, "next": following}).encode())

    def do_POST(self) -> None:  # noqa: N802
        self.server.calls.append((self.path, self.headers["Idempotency-Key"]))
        self.answer(b"{}")


def streaming(api: Api) -> dict[str, Any]:
    """Reads the list page by page, and sends each item."""
    paging = {"by": "link", "at": "body.next", "items": "body.items"}
    read = {"id": "list", "type": "HTTP_REQUEST", "config": {"url": f"{api.url}/pages", "paging": paging}}
    send = {"id": "send", "type": "HTTP_REQUEST", "config": {"method": "POST", "url": api.url + "/item/{{ item }}"}}
    each = {"items": "{{ steps.list['items'] }}", "concurrency": 2}
    return {
        "type": "FOR_EACH_PAGE",
        "config": {},
        "actions": [read, {"type": "FOR_EACH", "config": each, "actions": [send]}],
    }


def test_every_item_is_worked_on_once_though_executors_and_orchestrators_are_killed(
    pipeline: Pipeline, settings: Settings
) -> None:
    api = Api()
    with serving(api):
        event = pipeline.accept(pipeline.workflow(streaming(api)).id)
        done = end_of(event, pipeline, settings, lambda: len(api.taken) / len(ITEMS))
    assert done.status == "COMPLETED", done.error
    assert done.step_outputs["step_0"] == {"count": PAGES, "complete": True}
    assert Counter(map(int, api.taken)) == Counter(ITEMS), "a repeated call must carry the same Idempotency-Key"
    first_of_page = [api.taken.index(str(page * SIZE)) for page in range(PAGES)]
    assert first_of_page == sorted(first_of_page), "a page is begun when the one before is done"
