"""A step tried alone by a web server: its threads are not held up, and not used up."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest
from pytest_httpserver import HTTPServer

from flowforge.connectors.catalog import Catalog, load_catalog
from flowforge.connectors.sdk import Connector, ConnectorConfig, StepContext, connector
from flowforge.errors import NotFound, Unavailable
from flowforge.fair_shares import FairShares
from flowforge.language.expressions.unknown_values import Unknown
from flowforge.preview.step_tests import Trial, TrialLimits, try_step
from flowforge.wiring import Backends
from tests.waiting import eventually


class Config(ConnectorConfig):
    n: int = 0


class Stubborn:
    """Takes no notice of its deadline."""

    def __init__(self) -> None:
        self.may_end = threading.Event()
        self.begun = 0

    def connector(self) -> Connector[Config]:
        @connector("STUBBORN", Config, title="Stubborn", help="Waits.", icon="clock")
        def run(config: Config, context: StepContext) -> dict[str, Any]:
            self.begun += 1
            self.may_end.wait(30)
            return {}

        return run


@pytest.fixture
def stubborn() -> Iterator[Stubborn]:
    one = Stubborn()
    yield one
    one.may_end.set()


@pytest.fixture
def catalog(stubborn: Stubborn) -> Catalog:
    return Catalog({"STUBBORN": stubborn.connector()}, {})


def trial(user_id: UUID | None = None, **action: Any) -> Trial:
    definition = {"actions": [{"id": "it", "type": "STUBBORN", "timeout": 0.05, **action}]}
    return Trial(uuid4(), user_id or uuid4(), "w", definition, "it", {"trigger": {}, "steps": {}})


def test_one_that_does_not_end_is_left_to_itself(backends: Backends, catalog: Catalog, stubborn: Stubborn) -> None:
    limits = TrialLimits(FairShares(1), patience=0, overtime=0.01)
    tried = try_step(backends, catalog, trial(config={"n": 3}), limits=limits)
    assert (tried.config, tried.output) == ({"n": 3}, None)
    assert "longer than a trial may" in str(tried.error)
    with pytest.raises(Unavailable):  # it still holds the only place
        try_step(backends, catalog, trial(), limits=limits)
    assert stubborn.begun == 1
    stubborn.may_end.set()
    assert eventually(lambda: limits.places.take(uuid4()), seconds=10)


def test_trials_of_one_account_leave_places_for_those_of_others(
    backends: Backends, catalog: Catalog, stubborn: Stubborn
) -> None:
    limits, greedy = TrialLimits(FairShares(4), patience=0, overtime=0.01), uuid4()
    for _ in range(2):
        try_step(backends, catalog, trial(greedy), limits=limits)
    with pytest.raises(Unavailable):
        try_step(backends, catalog, trial(greedy), limits=limits)
    stubborn.may_end.set()
    assert try_step(backends, catalog, trial(timeout=5), limits=limits).output == {}


def test_what_is_dry_or_wrong_takes_no_place(backends: Backends, catalog: Catalog, stubborn: Stubborn) -> None:
    limits = TrialLimits(FairShares(1))
    limits.places.take(uuid4())
    dry = partial(try_step, backends, catalog, dry_run=True, limits=limits)
    assert dry(trial(config={"n": "{{ 1 + 1 }}"})).config == {"n": 2}
    assert "n: " in str(dry(trial(config={"n": []})).error)
    with pytest.raises(NotFound):
        Trial(uuid4(), uuid4(), "w", {"actions": []}, "it", {})
    assert stubborn.begun == 0


def test_a_step_that_is_switched_off_can_be_tried(backends: Backends, catalog: Catalog, stubborn: Stubborn) -> None:
    stubborn.may_end.set()
    tried = try_step(backends, catalog, trial(enabled=False, when="{{ trigger.x is defined }}", timeout=5))
    assert (tried.error, tried.output, tried.runs) == (None, {}, False)


def test_a_condition_that_nobody_can_judge_yet_keeps_nothing_from_being_tried(
    backends: Backends, catalog: Catalog, stubborn: Stubborn
) -> None:
    stubborn.may_end.set()
    action = {"id": "it", "type": "STUBBORN", "when": "{{ steps.far.ok }}"}
    unsure = Trial(uuid4(), uuid4(), "w", {"actions": [action]}, "it", {"steps": {"far": Unknown("far")}})
    tried = try_step(backends, catalog, unsure)
    assert (tried.error, tried.output, tried.runs, tried.unknown) == (None, {}, None, ("/when",))


def test_of_a_list_that_is_read_page_by_page_the_first_page_is_read(backends: Backends, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/list").respond_with_json({"items": [1, 2], "next": 2})
    paging = {"by": "cursor", "at": "body.next"}
    call = {"id": "it", "type": "HTTP_REQUEST", "config": {"url": httpserver.url_for("/list"), "paging": paging}}
    definition = {"actions": [{"type": "FOR_EACH_PAGE", "config": {}, "actions": [call]}]}
    known = {"trigger": {}, "steps": {}, "page": {"number": 1, "after": Unknown("page", is_root=True)}}
    tried = try_step(backends, load_catalog(), Trial(uuid4(), uuid4(), "w", definition, "it", known))
    assert tried.error is None
    assert tried.output is not None
    assert (tried.output["items"], tried.output["pages"], tried.output["complete"]) == ([1, 2], 1, False)
