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
from flowforge.sentences import sentence
from flowforge.triggers.kinds.webhook import usual_method
from flowforge.triggers.webhooks.sample_request import SampleRequest
from flowforge.triggers.webhooks.signed_call import SignedCall, sign_call
from webapp.context import backends, session
from webapp.services import triggers
from webapp.translation.texts import gettext, said
from webapp.ui.base import blueprint
from webapp.ui.guard import viewer_id

_LONGEST_SHOWN = 300


@blueprint.post("/triggers/<uuid:trigger_id>/call")
def call_webhook(trigger_id: UUID) -> Any:
    """It goes the whole way of a call, within this process: no network is between."""
    trigger = triggers().get(session(), viewer_id(), trigger_id)
    hook = triggers().hook(session(), viewer_id(), trigger_id)
    if not trigger.webhook_url:
        raise NotFound(sentence("this trigger has no address"))
    try:
        sample = SampleRequest(usual_method(hook.config.methods), "", (), request.form.get("body", ""))
        call = sign_call(hook, trigger.webhook_url, sample)
        session().rollback()  # the workflow may take its time to answer
        flash(*_outcome(send_call(call)))
    except Invalid as error:
        flash(gettext("It was not called: %(reason)s.", reason=said(error.problems[0].message)), "error")
    return redirect(url_for("ui.workflow", workflow_id=trigger.workflow_id), 303)


def send_call(call: SignedCall) -> Response:
    """Send a call to a URL of ours the whole way, within this process. It comes from the address of whoever is looking:
    where only some may call, it is theirs that counts."""
    base = backends().settings.public_webhook_base
    host = urlsplit(base)
    return Client(current_app.wsgi_app, Response).open(
        call.url.removeprefix(base),
        base_url=f"{host.scheme}://{host.netloc}",
        method=call.method,
        headers=dict(call.headers),
        data=call.body,
        environ_overrides={"REMOTE_ADDR": request.remote_addr or ""},
    )


def _outcome(response: Response) -> tuple[str, str]:
    text = charsets.decode(response.get_data())[:_LONGEST_SHOWN]
    response.close()
    message = gettext("The webhook answered %(status)s: %(answer)s", status=response.status_code, answer=text)
    return message, "done" if response.status_code < 400 else "error"
