"""Calling a webhook of one's own from its page, as its sender would."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from flask import current_app, flash, redirect, request, url_for
from werkzeug.test import Client
from werkzeug.wrappers import Response

from flowforge import charsets
from flowforge.errors import Invalid, NotFound
from flowforge.triggers.webhooks.signed_call import SignedCall, sign_call
from webapp.context import backends, session
from webapp.services import triggers
from webapp.ui.base import blueprint
from webapp.ui.guard import viewer_id

_LONGEST_SHOWN = 300


@blueprint.post("/triggers/<uuid:trigger_id>/call")
def call_webhook(trigger_id: UUID) -> Any:
    """It goes the whole way of a call, within this process: no network is between."""
    trigger = triggers().get(session(), viewer_id(), trigger_id)
    hook = triggers().hook(session(), viewer_id(), trigger_id)
    if not trigger.webhook_url:
        raise NotFound("this trigger has no address")
    try:
        call = sign_call(hook, trigger.webhook_url, request.form.get("body", "").encode())
        session().rollback()  # the workflow may take its time to answer
        flash(*_outcome(_send(call, trigger.webhook_url)))
    except Invalid as error:
        flash(f"It was not called: {error.problems[0].message}.", "error")
    return redirect(url_for("ui.workflow", workflow_id=trigger.workflow_id), 303)


def _send(call: SignedCall, url: str) -> Response:
    """With the address of whoever is looking: where only some may call, it is theirs that counts."""
    base = backends().settings.public_webhook_base
    host = urlsplit(base)
    return Client(current_app.wsgi_app, Response).open(
        url.removeprefix(base),
        base_url=f"{host.scheme}://{host.netloc}",
        method=call.method,
        headers=dict(call.headers),
        data=call.body,
        environ_overrides={"REMOTE_ADDR": request.remote_addr or ""},
    )


def _outcome(response: Response) -> tuple[str, str]:
    text = charsets.decode(response.get_data())[:_LONGEST_SHOWN]
    response.close()
    return f"The webhook answered {response.status_code}: {text}", "done" if response.status_code < 400 else "error"
