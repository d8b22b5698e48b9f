"""The step CODE: its config, its output, its failures."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import replace
from uuid import UUID

import pytest

from flowforge.code.slots import place_for
from flowforge.connectors.catalog import load_catalog
from flowforge.connectors.sdk import CodeLimits, ConnectorError, KeptLog, LogLine, Program, StepContext, run_code
from tests.connectors.running import run

CODE = load_catalog().get("CODE")


@pytest.fixture(autouse=True, scope="module")
def _compiled() -> None:
    """The engine is compiled once in a process, which takes seconds where others compute, too."""
    run_code(Program("javascript", "return 1", b"{}"), CodeLimits(30, time.monotonic() + 120, 100), UUID(int=0), print)


def problems(config: dict[str, object]) -> list[str]:
    return [str(problem) for problem in CODE.problems(config, "/config")]


def test_the_result_stands_in_the_output(context: StepContext) -> None:
    output = run("CODE", {"code": "return input.n + 1", "input": {"n": 2}}, context)
    assert output == {"result": 3}


def test_what_it_writes_goes_to_the_log(context: StepContext) -> None:
    log = KeptLog()
    run("CODE", {"code": "console.log('one'); console.warn('two')"}, replace(context, log=log))
    assert log.lines == [LogLine("one"), LogLine("two", "WARN")]


def test_what_it_wrote_before_it_failed_does_too(context: StepContext) -> None:
    log = KeptLog()
    with pytest.raises(ConnectorError):
        run("CODE", {"code": "console.error('about to fail'); null.x"}, replace(context, log=log))
    assert log.lines == [LogLine("about to fail", "ERROR")]


@pytest.mark.parametrize(
    ("text", "kept"),
    [("for (let n = 0; n < 1000; n++) console.log('x')", 200), ("while (true) console.log('x'.repeat(9000))", 2)],
)
def test_what_it_writes_has_limits(context: StepContext, text: str, kept: int) -> None:
    log = KeptLog(most_lines=10_000, most_characters=10**9)
    with suppress(ConnectorError):
        run("CODE", {"code": text}, replace(context, log=log))
    assert len(log.lines) == kept + 1
    assert log.lines[-1].text.endswith("more lines are left out")


def test_an_error_fails_the_step_for_good(context: StepContext) -> None:
    with pytest.raises(ConnectorError, match="line 2: TypeError: cannot read property 'x' of undefined") as caught:
        run("CODE", {"code": "const a = {};\nreturn a.b.x"}, context)
    assert caught.value.permanent


def test_what_cannot_be_read_is_found_when_it_is_saved() -> None:
    assert problems({"code": "const a = 1;\nreturn a +;"}) == [
        "/config/code: line 2: SyntaxError: unexpected token in expression: ';'"
    ]
    assert problems({"code": "return 1"}) == []


def test_code_holds_no_expressions_and_says_how_data_gets_in() -> None:
    assert problems({"code": "return {{ trigger.body }}"})[0].startswith("/config/code: holds no expressions")


@pytest.mark.parametrize("seconds", [0, 31, -1])
def test_seconds_have_bounds(seconds: float) -> None:
    assert problems({"code": "return 1", "seconds": seconds})[0].startswith("/config/seconds: ")


def test_it_may_run_twice_and_previews_compute_it() -> None:
    assert CODE.is_repeatable({})
    assert CODE.computes is not None
    assert CODE.computes(CODE.parse({"code": "return input.a", "input": {"a": [1]}})) == {"result": [1]}


def test_saving_does_not_wait_for_the_code_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    nobody, soon = UUID(int=0), time.monotonic() + 1
    with monkeypatch.context() as patched, place_for(nobody, soon), place_for(nobody, soon):
        patched.setattr("flowforge.code.languages._LONGEST_READ", 0.01)
        assert problems({"code": "return 'not read before' +;"}) == []
    assert "SyntaxError" in problems({"code": "return 'not read before' +;"})[0]
