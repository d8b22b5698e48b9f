"""The data that a workflow is built and tested on: outputs that are pinned, and those of a run that is chosen."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from flowforge.wiring import Backends
from tests.ui.conftest import Browser
from tests.ui.test_builder_runs import Runs, states
from tests.ui.test_execution_page import BROKEN, transform
from tests.ui.test_pages import created

CHAIN = {
    "name": "Chain",
    "actions": [
        transform("one", n="{{ trigger.n }}"),
        transform("two", n="{{ steps.one.n * 2 }}"),
        {"id": "which", "type": "BRANCH", "branches": [{"name": "a", "when": True, "actions": []}]},
    ],
}


@pytest.fixture
def chain(ada: Browser, backends: Backends) -> Runs:
    return Runs(ada, backends, CHAIN)


def send(runs: Runs, what: str, **fields: str) -> str:
    answer = runs.start(what, **fields)
    assert answer.status_code == 200, answer.text
    return runs.page(f"{runs.build}?step=/actions/0")


def run_id(path: str) -> str:
    return path.rpartition("/")[2]


def two_of(runs: Runs, path: str) -> str:
    """What the second step did in the run."""
    return runs.page(f"{path}/result?step=two")


def value_at_two(runs: Runs, text: str) -> str:
    answer = runs.start("preview", at="/actions/1", text=text)
    return re.sub(r"<[^>]+>|\s", "", answer.text)


class TestPinning:
    def test_a_test_takes_the_pinned_output_in_place_of_running_the_step(self, chain: Runs) -> None:
        path = chain.finished('{"n": 1}')
        page = send(chain, "pin", pinned="one", execution=run_id(path), frame="0")
        assert "Pinned output" in page
        assert "Output pinned" in page  # on its card
        again = chain.finished('{"n": 5}')
        assert "Pinned" in chain.page(again)
        assert "its output is pinned" in chain.page(f"{again}/result?step=one")
        assert '"n": 2' in two_of(chain, again)
        assert "Pinned output" not in send(chain, "unpin", pinned="one", step="/actions/0")
        assert '"n": 10' in two_of(chain, chain.finished('{"n": 5}'))

    def test_an_output_can_be_written(self, chain: Runs) -> None:
        page = send(chain, "pin", pinned="one", output='{"n": 21}')
        assert '"n": 21' in page
        assert value_at_two(chain, "{{ steps.one.n }}") == "=21"

    def test_published_executions_never_see_it(self, chain: Runs) -> None:
        send(chain, "pin", pinned="one", output='{"n": 21}')
        page = chain.build.removesuffix("/build")
        started = chain.browser.send(f"{page}/run", page, payload='{"n": 1}')
        path = started.location.replace("/executions", f"{chain.build}/runs")
        chain.wait(path)
        assert '"n": 2' in two_of(chain, path.partition("?")[0])

    @pytest.mark.parametrize(
        ("fields", "wrong"),
        [
            ({"pinned": "one", "output": "{"}, "not JSON"),
            ({"pinned": "one", "output": "[1]"}, "must be a JSON object"),
            ({"pinned": "one", "output": '{"a": "' + "x" * 300_000 + '"}'}, "has"),
            ({"pinned": "which", "output": "{}"}, "no step"),
            ({"pinned": "gone", "output": "{}"}, "no step"),
            ({"pinned": "one", "execution": "01a22bd8-ac10-718f-82cf-f9bd2f2ce544"}, "no such execution"),
        ],
    )
    def test_what_cannot_be_pinned_is_refused(self, chain: Runs, fields: dict[str, str], wrong: str) -> None:
        answer = chain.start("pin", **fields)
        assert answer.status_code == 400
        assert wrong in answer.text

    def test_what_a_step_test_gave_is_data_and_stands_for_no_step(self, chain: Runs) -> None:
        send(chain, "sample", sample='{"n": 7}')
        assert "can be picked" in chain.start("test", at="/actions/0").text
        assert value_at_two(chain, "{{ steps.one.n }}") == "=7"
        assert '"n": 16' in two_of(chain, chain.finished('{"n": 8}'))

    def test_a_step_test_leaves_the_pinned_output_as_it_is(self, chain: Runs) -> None:
        send(chain, "pin", pinned="one", output='{"n": 21}')
        send(chain, "sample", sample='{"n": 7}')
        assert "7" in chain.start("test", at="/actions/0").text
        assert value_at_two(chain, "{{ steps.one.n }}") == "=21"


class TestTheDataOfARun:
    def test_are_picked_from_and_tested_with_until_others_are_chosen(self, chain: Runs) -> None:
        first = chain.finished('{"n": 3}')
        chain.finished('{"n": 4}')
        assert value_at_two(chain, "{{ trigger.n }}") == "=4"
        assert "Data of the run of" in send(chain, "data", execution=run_id(first), step="/actions/0")
        assert value_at_two(chain, "{{ trigger.n }}") == "=3"
        assert '"n": 6' in two_of(chain, chain.end(chain.start()))
        assert "Data of the run of" not in send(chain, "data", step="/actions/0")

    def test_are_those_of_ones_own_workflow(self, chain: Runs, signed_up: Callable[[str], Browser]) -> None:
        path = chain.finished('{"n": 3}')
        other = f"{created(chain.browser, BROKEN)}/build"
        assert chain.browser.send(f"{other}/data", other, execution=run_id(path)).status_code == 404
        bob = signed_up("bob")
        for what in ("data", "pin"):
            token = bob.token("/workflows")
            assert bob.post(f"{chain.build}/{what}", csrf_token=token, execution=run_id(path)).status_code == 404


class TestRunningAgain:
    def test_takes_the_draft_as_it_is_now_with_the_data_of_the_run(self, chain: Runs) -> None:
        path = chain.finished('{"n": 3}')
        config = {"config.output.name": "n", "config.output.value": "{{ steps.one.n * 100 }}"}
        answer = chain.browser.send(f"{chain.build}/step", f"{chain.build}?step=/actions/1", at="/actions/1", **config)
        assert answer.status_code == 303
        again = chain.end(chain.start(f"runs/{run_id(path)}/replay", **{"from": "start"}))
        assert "300" in two_of(chain, again)

    def test_begins_with_a_step_on_what_was_recorded_before_it(self, chain: Runs) -> None:
        path = chain.finished('{"n": 3}')
        again = chain.end(chain.start(f"runs/{run_id(path)}/replay", **{"from": "two"}))
        assert states(chain.page(again))["two"] == "SUCCEEDED"
        assert "/input?step=0" not in chain.page(f"{again}/result?step=one").partition("Attempts")[2]
        refused = chain.start(f"runs/{run_id(path)}/replay", **{"from": "gone"})
        assert (refused.status_code, "there is no step" in refused.text) == (400, True)


def test_the_drawer_lists_the_latest_runs_and_says_which_were_tests(chain: Runs) -> None:
    assert "has not run yet" in chain.page(f"{chain.build}/runs")
    send(chain, "pin", pinned="one", output='{"n": 21}')
    tested = chain.finished("{}")
    page = chain.build.removesuffix("/build")
    chain.browser.send(f"{page}/run", page, payload='{"n": 1}')
    listed = chain.page(f"{chain.build}/runs")
    assert f'data-show-run="{tested}"' in listed
    assert "· Test" in listed
