"""The answer where a draft cannot run, or be published, yet: what is to be solved, and the first step of it opened."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import flash, redirect, request, url_for

from flowforge.connectors.catalog import load_catalog
from flowforge.workflows.api_steps import account_of
from flowforge.workflows.views import WorkflowView
from webapp.context import session
from webapp.services import drafts
from webapp.translation.texts import gettext
from webapp.ui.builder import PART, refused_at
from webapp.ui.builder_flaws import Flaw, flaws_of
from webapp.ui.guard import viewer_id

_MOST_SAID = 3
"""Problems that a message names; the page shows all of them."""


def not_run(workflow: WorkflowView) -> Any:
    return _back_to_flaws(workflow, gettext("Not run."))


def not_published(workflow: WorkflowView) -> Any:
    return _back_to_flaws(workflow, gettext("Not published."))


def back_to_builder(workflow: WorkflowView, **more: Any) -> Any:
    """Redirect to the builder, with the step that was open."""
    step = request.form.get("step") or None
    return redirect(url_for("ui.builder", workflow_id=workflow.id, **{"step": step, **more}), 303)


def _back_to_flaws(workflow: WorkflowView, outcome: str) -> Any:
    session().rollback()
    flaws = _flaws(workflow)
    at, said = flaws[0].at if flaws else None, " ".join([outcome, *(f"{flaw}." for flaw in flaws[:_MOST_SAID])])
    if PART in request.headers:
        return refused_at(workflow, said, at or "")
    flash(said, "error")
    return back_to_builder(workflow, step=at)


def _flaws(workflow: WorkflowView) -> Sequence[Flaw]:
    shown = drafts().get(session(), viewer_id(), workflow.id)
    return flaws_of(shown.definition, shown.problems, load_catalog(), account_of(session(), viewer_id()))
