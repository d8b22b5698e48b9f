"""Runs in the builder: one is shown on the flow, card by card, while it goes on and afterwards."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from flask import redirect, render_template, request, url_for

from flowforge.errors import Conflict, Invalid, NotFound
from flowforge.executions import replays
from flowforge.executions.pending import AwaitedExecutionView
from flowforge.executions.recent_runs import recent_runs
from flowforge.executions.replay_requests import ReplayRequest
from flowforge.executions.views import BlockView, ExecutionView
from flowforge.executions.written_steps import version_of, written_steps
from flowforge.preview import run_data
from flowforge.sentences import sentence
from webapp.context import backends, session
from webapp.services import drafts
from webapp.translation.texts import gettext
from webapp.ui import executions
from webapp.ui.base import blueprint
from webapp.ui.builder import PART, answer, found, refused
from webapp.ui.builder_refusals import not_run
from webapp.ui.executions import answer_path, requested_event
from webapp.ui.guard import viewer_id
from webapp.ui.run_progress import Progress, progress_of
from webapp.ui.steps import OVER, Step

_ROUND = re.compile(r"(\d{1,9}):(\d{1,9})")


@blueprint.get("/workflows/<uuid:workflow_id>/build/runs/<uuid:execution_id>")
def builder_run(workflow_id: UUID, execution_id: UUID) -> str:
    """`event`: what a run is known by that has only been accepted; `round`: the run of a loop that is shown, as
    `<step index>:<position>`."""
    return _run_part(_find_run(workflow_id, execution_id), requested_event())


@blueprint.get("/workflows/<uuid:workflow_id>/build/runs/<uuid:execution_id>/result")
def builder_run_result(workflow_id: UUID, execution_id: UUID) -> str:
    """What the run did in the step of the id `step`, or what started it (`trigger`)."""
    row, wanted = _find_run(workflow_id, execution_id), request.args.get("step", "")
    if wanted == "trigger":
        return render_template("builder/_run_trigger.html", execution=row)
    around, step = _find_step(_progress(row).steps, wanted)
    return render_template(
        "builder/_run_result.html",
        execution=row,
        step=step,
        around=around,
        answer_path=partial(answer_path, row.id),
        over=row.status in OVER,
        workflow_id=workflow_id,
        can_pin=step is not None and step.can_be_pinned,
        pinned=step is not None and step.id in _pinned(row),
    )


@blueprint.get("/workflows/<uuid:workflow_id>/build/runs")
def builder_runs(workflow_id: UUID) -> str:
    """The latest runs of the workflow, of which one is chosen to be shown on the flow."""
    workflow = found(workflow_id)
    return render_template(
        "builder/_runs.html", workflow=workflow, runs=recent_runs(session(), viewer_id(), workflow_id)
    )


@blueprint.post("/workflows/<uuid:workflow_id>/build/runs/<uuid:execution_id>/replay")
def replay_with_draft(workflow_id: UUID, execution_id: UUID) -> Any:
    """Replay a run with the draft, as it is now: from its start, or from the step of the id `from`."""
    workflow, row = found(workflow_id), _find_run(workflow_id, execution_id)
    try:
        version_id = drafts().version_to_replay(session(), viewer_id(), workflow_id)
    except Invalid:
        return not_run(workflow)
    try:
        wanted = ReplayRequest.read({"from": request.form.get("from", "start")})
        done = replays.replay(session(), backends(), viewer_id(), row.id, wanted, version_id)
    except (Invalid, Conflict, NotFound) as error:
        return refused(workflow, error, 400)
    return to_run(done.execution_id, done.event_id)


@blueprint.post("/workflows/<uuid:workflow_id>/build/data")
def build_on_run(workflow_id: UUID) -> Any:
    """Build the workflow on the data of the run `execution`; of the latest ones, where none is named."""
    workflow, execution_id = found(workflow_id), request.form.get("execution", type=UUID)
    if execution_id is None:
        run_data.build_on_latest(session(), viewer_id(), workflow_id)
        message = gettext("The data are those of the latest runs again.")
    else:
        run_data.build_on(session(), viewer_id(), workflow_id, execution_id)
        message = gettext("The data of this run are now used to build and to test.")
    shown = drafts().get(session(), viewer_id(), workflow_id)
    return answer(workflow, shown, request.form.get("step", ""), message=message)


def to_run(execution_id: UUID, event_id: UUID) -> Any:
    """Answer with a run that was just started: for our script the run on the flow, else its page."""
    if PART in request.headers:
        return _run_part(executions.find(execution_id, event_id), event_id)
    return redirect(url_for("ui.execution", execution_id=execution_id, event=event_id), 303)


def _run_part(row: ExecutionView, event_id: UUID | None) -> str:
    """The bar of a run, and the marks of its steps."""
    progress = _progress(row)
    return render_template(
        "builder/_run.html",
        execution=row,
        steps=[step for top in progress.steps for step in top.all()],
        run_url=url_for("ui.builder_run", workflow_id=row.workflow_id, execution_id=row.id, event=event_id),
        version=version_of(session(), row),
        over=row.status in OVER,
        awaited=isinstance(row, AwaitedExecutionView),
    )


def _find_run(workflow_id: UUID, execution_id: UUID) -> ExecutionView:
    """Raises NotFound."""
    row = executions.found(execution_id)
    if row.workflow_id != workflow_id:
        raise NotFound(sentence("this workflow has no such execution"))
    return row


def _pinned(row: ExecutionView) -> Collection[str]:
    """The ids of the steps that the run did not run, because their outputs are pinned."""
    version = version_of(session(), row)
    return version.pinned if version else ()


def _progress(row: ExecutionView) -> Progress:
    return progress_of(row, written_steps(session(), row), shown_run=_Rounds.requested().shown)


@dataclass(frozen=True, slots=True)
class _Rounds:
    """The chosen runs of loops: their positions by the loop's step index."""

    chosen: Mapping[int, int]

    @classmethod
    def requested(cls) -> _Rounds:
        found = (_ROUND.fullmatch(text) for text in request.args.getlist("round"))
        return cls({int(match[1]): int(match[2]) for match in found if match})

    def shown(self, block: BlockView) -> int | None:
        """The chosen run, else the one that began last; None where none has begun."""
        last = min(block.begun, block.total) - 1
        return None if last < 0 else min(self.chosen.get(block.step_index, last), last)


def _find_step(steps: Sequence[Step], step_id: str) -> tuple[Sequence[Step], Step | None]:
    """Find a step by its id, with the loops around it, outermost first."""
    return next(((loops, step) for loops, step in _within_loops(steps, ()) if step.id == step_id), ((), None))


def _within_loops(steps: Sequence[Step], around: tuple[Step, ...]) -> Iterator[tuple[tuple[Step, ...], Step]]:
    for step in steps:
        yield around, step
        inside = (*around, step) if step.loop else around
        for lane in step.lanes:
            yield from _within_loops(lane.steps, inside)
