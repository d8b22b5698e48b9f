"""Trying out a webhook while it is being built: a request to its test URL, written here or pasted as curl, and
listening for one that somebody else sends."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from flowforge import charsets
from flowforge.errors import FlowForgeError, Invalid, NotFound
from flowforge.executions import executions
from flowforge.triggers.kinds import find_kind
from flowforge.triggers.kinds.webhook import WEBHOOK, curl
from flowforge.triggers.webhooks.hook import read_hook
from flowforge.triggers.webhooks.sample_request import SampleRequest
from flowforge.triggers.webhooks.signed_call import SignedCall, sign_call
from flowforge.workflows import pins
from flowforge.workflows.draft_calls import EVENT, EXECUTION
from flowforge.workflows.views import WorkflowView
from webapp.context import backends, session
from webapp.services import draft_calls, drafts, test_urls
from webapp.translation.texts import gettext, lazy, said, said_by
from webapp.ui.base import blueprint
from webapp.ui.builder import TRIGGER, answer, found, refused
from webapp.ui.guard import viewer_id
from webapp.ui.webhook_calls import send_call

LONGEST = timedelta(minutes=3)
_LONGEST_SHOWN = 2_000
_LABELS = {
    "/body": lazy("Request body (JSON)"),
    "/headers": lazy("Headers"),
    "/query": lazy("Query parameters"),
    "/method": lazy("Method"),
}


@dataclass(frozen=True, slots=True)
class Called:
    """The outcome of a test request."""

    status: int
    text: str
    execution_id: str | None
    event_id: str | None


@blueprint.post("/workflows/<uuid:workflow_id>/build/call")
def call_draft(workflow_id: UUID) -> Any:
    """Send a request to the test URL, and show what became of it."""
    workflow = found(workflow_id)
    try:
        wanted = SampleRequest.read(request.form)
        called = _called(send_call(_to_test_url(workflow, wanted)))
    except FlowForgeError as error:
        return _not_called(workflow, error)
    if "X-Part" in request.headers:
        return render_template("builder/_called.html", workflow=workflow, called=called, wanted=wanted)
    if called.execution_id is None:
        flash(gettext("The webhook answered %(status)s: %(answer)s", status=called.status, answer=called.text), "error")
        return redirect(url_for("ui.builder", workflow_id=workflow.id, step=TRIGGER), 303)
    return redirect(url_for("ui.execution", execution_id=called.execution_id, event=called.event_id), 303)


@blueprint.post("/workflows/<uuid:workflow_id>/build/curl")
def read_pasted(workflow_id: UUID) -> Any:
    """Fill in the request from a command line of curl that was pasted into its body."""
    workflow = found(workflow_id)
    try:
        wanted = SampleRequest.read(request.form)
    except Invalid as error:
        return _not_called(workflow, error)
    return render_template("builder/_request_fields.html", workflow=workflow, wanted=wanted)


@blueprint.post("/workflows/<uuid:workflow_id>/build/request")
def keep_request(workflow_id: UUID) -> Any:
    """Pin what the request would bring as the data for tests; an empty body unpins it."""
    workflow = found(workflow_id)
    shown = drafts().get(session(), viewer_id(), workflow_id)
    try:
        if request.form.get("body", "").strip():
            pins.pin(session(), workflow.id, pins.TRIGGER, SampleRequest.read(request.form).payload())
        else:
            pins.unpin(session(), workflow.id, pins.TRIGGER)
    except NotFound:
        pass
    except Invalid as error:
        return refused(workflow, Invalid.at("", _sentence(error)), 400)
    return answer(workflow, shown, TRIGGER, message=gettext("The sample is saved."))


@blueprint.get("/workflows/<uuid:workflow_id>/build/heard")
def builder_heard(workflow_id: UUID) -> str:
    """`since`: the execution that was the latest when listening began (`none` where there was none), `until` when it
    ends. Without them it begins. `published`: it is about what is published, whose first run is waited for."""
    workflow = found(workflow_id)
    latest = executions.latest(session(), viewer_id(), workflow.id)
    now = datetime.now(UTC)
    since = request.args.get("since") or (str(latest.id) if latest else "none")
    until = request.args.get("until", type=float) or (now + LONGEST).timestamp()
    heard = latest if latest is not None and str(latest.id) != since else None
    over = heard is None and now.timestamp() > min(until, (now + LONGEST).timestamp())
    published = request.args.get("published", type=int)
    place = {} if heard or over or published else _listen(workflow)
    return render_template(
        "builder/_listening.html",
        workflow=workflow,
        heard=heard,
        over=over,
        since=since,
        until=until,
        published=published,
        **place,
    )


def _listen(workflow: WorkflowView) -> dict[str, Any]:
    """Take calls to the test URL from now on; what the page says of where to call."""
    trigger = drafts().get(session(), viewer_id(), workflow.id).definition.get("trigger")
    kind = find_kind(trigger.get("type")) if isinstance(trigger, dict) else None
    if not isinstance(trigger, dict) or kind is None or kind.type != WEBHOOK:
        return {"listening": kind.address.listening if kind and kind.address else None}
    test_urls().listen(workflow.id)
    url = test_urls().url(workflow.id)
    config = trigger.get("config")
    return {"test_url": url, "command": curl(url, config if isinstance(config, dict) else {}, None)}


def _to_test_url(workflow: WorkflowView, wanted: SampleRequest) -> SignedCall:
    """Raises Invalid, NotFound, Conflict, Unavailable."""
    hook = draft_calls().hook(session(), workflow.id)
    test_urls().listen(workflow.id)
    session().rollback()  # the workflow may take its time to answer
    return sign_call(read_hook(hook.configuration, backends().vault), test_urls().url(workflow.id), wanted)


def _called(response: Response) -> Called:
    text = charsets.decode(response.get_data())[:_LONGEST_SHOWN]
    response.close()
    return Called(response.status_code, text, response.headers.get(EXECUTION), response.headers.get(EVENT))


def _not_called(workflow: WorkflowView, error: FlowForgeError) -> Any:
    if "X-Part" in request.headers:
        return render_template("builder/_called.html", workflow=workflow, called=None, problem=_sentence(error))
    session().rollback()
    flash(_sentence(error), "error")
    return redirect(url_for("ui.builder", workflow_id=workflow.id, step=TRIGGER), 303)


def _sentence(error: FlowForgeError) -> str:
    """What is wrong, with the label of its field."""
    problems = error.problems if isinstance(error, Invalid) else ()
    if not problems:
        return said_by(error)
    label = _LABELS.get(problems[0].pointer)
    return f"{label} {said(problems[0].message)}." if label else f"{said(problems[0].message)}."
