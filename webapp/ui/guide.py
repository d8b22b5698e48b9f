"""The guided first workflow: begun from an empty account, shown above the builder, ended at any time."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, url_for

from flowforge.onboarding import guide as operations
from flowforge.workflows import pins
from webapp.context import session
from webapp.services import drafts
from webapp.translation.texts import gettext
from webapp.ui.base import blueprint
from webapp.ui.builder import TRIGGER, found, guide_page
from webapp.ui.guard import return_path, viewer_id


@blueprint.post("/guide")
def begin_guide() -> Any:
    workflow_id = operations.begin(session(), drafts(), viewer_id())
    return redirect(url_for("ui.builder", workflow_id=workflow_id, step=TRIGGER), 303)


@blueprint.post("/guide/end")
def end_guide() -> Any:
    operations.end(session(), viewer_id())
    flash(gettext("Guide ended. Your workflow is kept."), "done")
    return redirect(return_path("/workflows"), 303)


@blueprint.post("/workflows/<uuid:workflow_id>/build/example")
def use_example(workflow_id: UUID) -> Any:
    """An example stands for what comes in, until something does, or the sample is changed."""
    workflow = found(workflow_id)
    pins.pin(session(), workflow.id, pins.TRIGGER, operations.EXAMPLE)
    return redirect(url_for("ui.builder", workflow_id=workflow_id, step=TRIGGER), 303)


@blueprint.get("/workflows/<uuid:workflow_id>/build/guide")
def builder_guide(workflow_id: UUID) -> str:
    """Refresh the guide while it waits for something that happens elsewhere: a call, a run."""
    workflow = found(workflow_id)
    shown = drafts().get(session(), viewer_id(), workflow_id)
    return render_template("builder/_guide_part.html", **guide_page(workflow, shown))
