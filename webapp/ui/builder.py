"""The builder: a workflow as a flow of cards, one of them open beside it. The draft on the server is what is edited;
each part of the page can be requested alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from http import HTTPStatus
from typing import Any
from uuid import UUID

from flask import redirect, render_template, request, url_for

from flowforge.connections.views import ConnectionView
from flowforge.connectors.catalog import Catalog, load_catalog
from flowforge.errors import Invalid, NotFound
from flowforge.jsonio import JsonObject
from flowforge.language.plan import can_be_pinned
from flowforge.onboarding import guide
from flowforge.preview import expression_context, run_data
from flowforge.workflows import listing, pins
from flowforge.workflows.api_steps import account_of
from flowforge.workflows.pins import KeptSteps
from flowforge.workflows.views import DraftView, WorkflowView
from webapp.context import session
from webapp.services import apis, connections, drafts, triggers, workflows
from webapp.translation.texts import lazy, said_by
from webapp.ui import undo
from webapp.ui.base import blueprint
from webapp.ui.builder_flaws import flaws_of
from webapp.ui.builder_flow import digest, flow_of, is_unfilled, note_of, warnings_at
from webapp.ui.builder_palette import ChoiceGroup, choices
from webapp.ui.builder_panel import StepPanel, notes_of_trigger, step_panel
from webapp.ui.builder_settings import SETTINGS, notes_of_settings, settings_panel
from webapp.ui.builder_trigger import trigger_panel
from webapp.ui.config_forms import wanted_kind
from webapp.ui.guard import viewer_id
from webapp.ui.written import shown_ways

TRIGGER = "trigger"
_CHANGED_ELSEWHERE = lazy(
    "This workflow was changed in another tab, or by somebody else. What you did last was not carried out."
)
FRESH = "fresh"
"""The field of forms, and the parameter of the page, of what has just been added."""
PART = "X-Part"
"""The header by which our script requests parts of the page; its value names the drawing of the flow that is shown."""


@blueprint.get("/workflows/<uuid:workflow_id>/build")
def builder(workflow_id: UUID) -> str:
    """`run`: the run that is shown on the flow; `step`: the pointer of the open step, or `trigger`; `into` and
    `position`: where something is to be added."""
    workflow = found(workflow_id)
    page = _page(workflow, drafts().get(session(), viewer_id(), workflow_id), _open())
    page["published"] = "published" in request.args and workflow.enabled and not page["draft"].revision
    if FRESH in request.args:
        page = _without_notes(page)
    if PART in request.headers:
        return _parts(page, "bar", "flow", "panel")
    return render_template("builder/show.html", **page)


def found(workflow_id: UUID) -> WorkflowView:
    """Raises NotFound."""
    return workflows().get(session(), viewer_id(), workflow_id)


def answer(
    workflow: WorkflowView,
    shown: DraftView,
    opened: str,
    *,
    message: str = "",
    with_panel: bool = True,
    is_fresh: bool = False,
) -> Any:
    """Answer an edit with the parts of the page that changed, or, without our script, with the page. `is_fresh`: what
    is open has just been added: nobody has left any of its fields empty yet."""
    if PART not in request.headers:
        place: JsonObject = {"step": opened or None, FRESH: int(is_fresh) or None} | shown_ways()
        return redirect(url_for("ui.builder", workflow_id=workflow.id, **place), 303)
    changed = ("panel",) if with_panel else ("notes", "trigger") if opened == TRIGGER else ("notes",)
    page = _page(workflow, shown, opened)
    if with_panel and (is_fresh or FRESH in request.form):
        page = _without_notes(page)
    return _parts(page, "bar", "flow", *changed, message=message)


def _without_notes(page: JsonObject) -> JsonObject:
    """The page of a step that is fresh: what is wrong with its fields is not said yet."""
    panel = page["panel"]
    return page | {"panel": panel and replace(panel, notes={}, others=()), "notes": {}, "fresh": True}


def _parts(page: JsonObject, *names: str, message: str = "", refusal: str = "") -> str:
    """The flow is left out where the browser shows this very one, else the cards that it names as `known`."""
    parts = ["guide", *names] if page["guide"] else list(names)
    if request.headers[PART] == page["drawing"]:
        parts.remove("flow")
    return render_template("builder/_parts.html", parts=parts, message=message, refusal=refusal, **page)


def refused(workflow: WorkflowView, error: Exception, status: int) -> Any:
    """Say why something could not be done; 409: what it was done to has changed elsewhere."""
    session().rollback()
    reason = str(_CHANGED_ELSEWHERE) if status == HTTPStatus.CONFLICT else said_by(error)
    if PART in request.headers:
        return render_template("builder/_refused.html", reason=reason, workflow=workflow, status=status), status
    shown = drafts().get(session(), viewer_id(), workflow.id)
    return render_template("builder/show.html", **_page(workflow, shown, _open()), refusal=reason), status


def refused_at(workflow: WorkflowView, refusal: str, at: str) -> Any:
    """Answer our script, whose request the draft is not fit for, with the step at `at` opened, that is to be mended."""
    page = _page(workflow, drafts().get(session(), viewer_id(), workflow.id), at)
    return _parts(page, "bar", "flow", "panel", refusal=refusal), 400


def _open() -> str:
    return request.values.get("step", "")


def _page(workflow: WorkflowView, shown: DraftView, opened: str) -> JsonObject:
    definition, problems = shown.definition, shown.problems
    catalog = load_catalog()
    registered = triggers().all(session(), viewer_id(), workflow.id)
    sample = expression_context.sample(session(), workflow.id) if not opened.startswith("/") else None
    of_trigger = [problem for problem in problems if problem.pointer.startswith("/trigger")]
    guided, known = guide_page(workflow, shown), account_of(session(), viewer_id())
    kept = pins.kept_steps(session(), workflow.id)
    page: JsonObject = {
        "workflow": workflow,
        "draft": shown,
        "definition": definition,
        "flaws": flaws_of(definition, problems, catalog, known),
        "opened": opened,
        "warnings": warnings_at(opened, shown.warnings),
        "flow": flow_of(definition, problems, catalog, kept.pinned),
        "workflow_note": note_of(definition.get("settings")),
        "choices": () if PART in request.headers else _choices(catalog),
        "adding": _adding(),
        "shown_run": request.args.get("run", type=UUID),
        "trigger": trigger_panel(
            definition,
            registered,
            sample or (guide.EXAMPLE if guided["guide"] else None),
            _connections,
            wanted_kind(request.values),
        ),
        "trigger_problems": len(of_trigger),
        "trigger_is_unfilled": bool(of_trigger) and all(map(is_unfilled, of_trigger)),
        "sample": sample,
        "history": undo.possible(workflow.id),
        "panel": None,
        "known": request.form.get("known", "").split(),
        "patches": PART in request.headers,
    } | guided
    trigger = page["trigger"]
    shown_trigger = (trigger.type, trigger.title, trigger.summary, page["trigger_problems"])
    page["drawing"] = digest((page["flow"], page["workflow_note"], *shown_trigger))
    if opened == SETTINGS:
        settings = settings_panel(definition, listing.choices(session(), viewer_id()), workflow.id)
        return page | {"settings": settings, "notes": notes_of_settings(problems, settings)}
    if opened == TRIGGER or not opened:
        return page | {"notes": notes_of_trigger(problems, page["trigger"]), "opened": TRIGGER}
    try:
        context = expression_context.context_at(session(), workflow.id, definition, opened)
        panel = step_panel(
            definition, opened, problems, catalog, context, known, _connections(), wanted_kind(request.values)
        )
        return page | {"panel": panel} | _data_of(workflow, panel, kept)
    except (Invalid, NotFound):  # it was moved or deleted meanwhile
        return page | {"notes": notes_of_trigger(problems, page["trigger"]), "opened": TRIGGER}


def _data_of(workflow: WorkflowView, panel: StepPanel, kept: KeptSteps) -> JsonObject:
    """`built_on`: when the run began whose data are used; `can_pin`: whether an output can stand for the open step;
    `pinned_output`: the one that does."""
    own_id = panel.action.get("id")
    pinned = pins.pinned_output(session(), workflow.id, own_id) if own_id in kept.pinned else None
    can_pin = bool(own_id) and can_be_pinned(str(panel.action.get("type", "")).upper())
    built_on = run_data.begun_at(session(), workflow.id)
    return {"built_on": built_on, "can_pin": can_pin, "pinned_output": pinned, "tested": own_id in kept.tested}


def guide_page(workflow: WorkflowView, shown: DraftView) -> JsonObject:
    """`guide` is None where the workflow has no guide."""
    definition = shown.definition
    through = guide.guide_to(session(), workflow, definition, wrong=bool(shown.problems))
    actions = definition.get("actions") or () if through else ()
    decision = next((n for n, each in enumerate(actions) if isinstance(each, dict) and each.get("branches")), None)
    branch = None if decision is None else f"/actions/{decision}/branches/0/actions"
    return {"workflow": workflow, "guide": through, "guide_branch": branch, "guide_example": guide.EXAMPLE}


def _choices(catalog: Catalog) -> Sequence[ChoiceGroup]:
    """All of them for a browser without script, which cannot search."""
    return choices(catalog, apis().actions(session(), viewer_id()), shows_all=_adding() is not None)


def _connections() -> Sequence[ConnectionView]:
    return connections().all(session(), viewer_id())


def _adding() -> JsonObject | None:
    """Return the position at which a browser without script asks to add a step."""
    into = request.args.get("into")
    return {"into": into, "position": request.args.get("position", 0, type=int)} if into else None
