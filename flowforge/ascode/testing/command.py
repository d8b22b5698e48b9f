"""`flowforge test`: runs test files and shows what differs."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from flowforge.ascode import yaml_writer
from flowforge.ascode.checking import read
from flowforge.ascode.files import find_tests, read_document
from flowforge.ascode.findings import Finding, located
from flowforge.ascode.testing.comparison import compare
from flowforge.ascode.testing.matching import MISSING, Mismatch
from flowforge.ascode.testing.playing import CannotGoOn, play
from flowforge.ascode.testing.scenario import Scenario, Suite, problems_of_names, read_suite
from flowforge.connectors.catalog import load_catalog
from flowforge.language.bodies import BodyKind
from flowforge.language.definition import LocatedAction, located_actions
from flowforge.language.plan import compile_plan
from flowforge.language.pointers import dotted

OK, PROBLEMS = 0, 1
Say = Callable[[str], None]


def run_tests(paths: Sequence[Path], say: Say) -> int:
    """Run every test; return 1 if one fails or cannot be run. Raises Unusable if there is nothing to run."""
    passed = failed = unusable = 0
    for path in find_tests(paths):
        suite = read_suite(path)
        findings = suite if isinstance(suite, list) else list(suite.findings)
        if isinstance(suite, Suite) and not findings:
            findings = _problems_of_names(suite)
        for finding in findings:
            say(str(finding))
        if isinstance(suite, list) or findings:
            unusable += 1
            continue
        for test, complaints in _run(suite):
            passed, failed = passed + (not complaints), failed + bool(complaints)
            say(f"{'FAIL' if complaints else 'ok  '} {path}: {test.name}")
            for complaint in complaints:
                say(complaint)
    cannot_run = f", {unusable} {'file' if unusable == 1 else 'files'} cannot be run" if unusable else ""
    say(f"{passed} passed, {failed} failed{cannot_run}")
    return PROBLEMS if failed or unusable else OK


def _run(suite: Suite) -> Iterator[tuple[Scenario, list[str]]]:
    assert suite.workflow.document is not None
    definition = read(suite.workflow.document)
    plan = compile_plan(definition.dump(), templated=True)
    steps = _steps(suite)
    looped = {name for name, step in steps.items() if _in_loop(step)}
    same = {name: step.action.id or name for name, step in steps.items()}
    for test in suite.tests:
        try:
            played = play(plan, definition.name, test, load_catalog())
        except CannotGoOn as error:
            yield test, [f"       {error}"]
            continue
        for found in (played.outputs, played.calls):
            found |= {name: found[id_] for name, id_ in same.items() if id_ in found}
        yield test, [_describe(mismatch) for mismatch in compare(test.expect, played, looped)]


def _steps(suite: Suite) -> Mapping[str, LocatedAction]:
    """The steps by each name that expressions have for them."""
    assert suite.workflow.document is not None
    every = list(located_actions(read(suite.workflow.document).actions))
    own = {step.own_id: step for step in every if step.own_id is not None}
    return own | {step.key: step for step in every}


def _in_loop(step: LocatedAction) -> bool:
    return any(around.kind is BodyKind.LOOP for around in step.enclosures)


def _problems_of_names(suite: Suite) -> list[Finding]:
    source, _ = read_document(suite.path)
    return located(str(suite.path), source, problems_of_names(suite.tests, _steps(suite)))


def _describe(mismatch: Mismatch) -> str:
    expected, found = _text(mismatch.expected), _text(mismatch.found)
    lines = difflib.unified_diff(expected, found, "expected", "found", lineterm="", n=3)
    body = [f"- {line}" for line in expected] + [f"+ {line}" for line in found]
    if len(expected) > 1 and len(found) > 1:
        body = list(lines)[2:]
    return "\n".join(f"       {line}" for line in [f"{dotted(mismatch.path)}: expected (-), found (+)", *body])


def _text(value: Any) -> list[str]:
    if value is MISSING:
        return ["(nothing)"]
    return yaml_writer.write(value).removesuffix("...\n").splitlines()
