"""Whatever a connector hands back or raises, the step ends with a clear text and the executor goes on."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest

from flowforge.connectors.catalog import Catalog, load_catalog
from flowforge.connectors.sdk import Connector
from flowforge.engine.executor import Executor
from flowforge.engine.log_sink import LogSink
from flowforge.engine.orchestrator import Orchestrator
from flowforge.engine.step_output import plain_output
from flowforge.secrets import MASK
from flowforge.wiring import Backends
from tests.actions import transform
from tests.engine import strange_connectors
from tests.engine.pipeline import Pipeline, working
from tests.engine.strange_connectors import FAILING
from tests.waiting import eventually


def catalog_with(strange: Connector[Any]) -> Catalog:
    """Every connector there is, and this one."""
    known = load_catalog()
    connectors = {type_: known.get(type_) for type_ in known.types()} | {"STRANGE": strange}
    return Catalog(connectors, {})


@contextmanager
def working_with(catalog: Catalog, backends: Backends) -> Iterator[Pipeline]:
    """Gives this catalog to the editor of workflows and to the executor."""
    with working(backends, Orchestrator, partial(Executor, catalog=catalog), LogSink):
        yield Pipeline(backends, catalog)


@pytest.mark.parametrize("name", FAILING)
def test_it_fails_clearly_and_the_next_step_is_run(backends: Backends, name: str) -> None:
    strange, message = FAILING[name]
    with working_with(catalog_with(strange), backends) as pipeline:
        bad = pipeline.workflow({"type": "STRANGE", "config": {}})
        good = pipeline.workflow(transform(a=1))
        failed = pipeline.finished(pipeline.accept(bad.id).event_id)
        done = pipeline.finished(pipeline.accept(good.id).event_id)
    assert failed.status == "FAILED"
    assert failed.error is not None
    assert (failed.error["step"], failed.error["attempt"], failed.error["message"]) == ("step_0", 1, message)
    assert done.status == "COMPLETED"


def test_a_secret_in_an_unexpected_error_is_shown_nowhere(backends: Backends, caplog: pytest.LogCaptureFixture) -> None:
    def fail(config: strange_connectors.Config) -> Any:
        raise ValueError(f"the token {config.token} is bad")

    catalog = catalog_with(strange_connectors.giving(fail))
    with working_with(catalog, backends) as pipeline, caplog.at_level(logging.DEBUG):
        workflow = pipeline.workflow({"type": "STRANGE", "config": {"token": "s3cret-token"}})
        failed = pipeline.finished(pipeline.accept(workflow.id).event_id)
        eventually(lambda: "in connector STRANGE" in caplog.text)
    assert failed.error is not None
    assert failed.error["message"] == f"ValueError in connector STRANGE: the token {MASK} is bad"
    assert "s3cret-token" not in caplog.text


class TestPlainOutput:
    def test_is_what_json_makes_of_it(self) -> None:
        moment = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
        found = plain_output({1: (1, 2), "at": moment, "raw": b"\xff", "set": {1}}, "X", 1_000, [])
        assert found == {"1": [1, 2], "at": "2026-03-04T05:06:07.000Z", "raw": "\ufffd", "set": [1]}

    def test_has_no_secret_left_in_any_corner(self) -> None:
        assert plain_output({"a": ("s3cret", {"b": "s3cret!"})}, "X", 1_000, ["s3cret"]) == {
            "a": [MASK, {"b": f"{MASK}!"}]
        }

    def test_shares_nothing_with_the_connector(self) -> None:
        kept: dict[str, Any] = {"a": []}
        found = plain_output(kept, "X", 1_000, [])
        kept["a"].append(1)
        assert found == {"a": []}
