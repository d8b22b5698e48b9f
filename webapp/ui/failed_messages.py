"""Failed messages (dead letters): look at them, send them again, discard them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for

from flowforge.errors import Conflict, Unavailable
from flowforge.executions import dead_letters as operations
from webapp.context import backends, session
from webapp.translation.texts import gettext, said_by
from webapp.ui.base import blueprint
from webapp.ui.guard import viewer_id


@blueprint.get("/failed-messages")
def failed_messages() -> str:
    after = request.args.get("after", type=UUID)
    return render_template(
        "administration/failed_messages.html",
        page=operations.page_of(session(), viewer_id(), after),
        after=after,
    )


@blueprint.post("/failed-messages/<uuid:letter_id>/retry")
def retry_message(letter_id: UUID) -> Any:
    try:
        operations.send_again(session(), backends().bus, viewer_id(), letter_id)
        flash(gettext("Sent again. If it still cannot be processed, it comes back here."), "done")
    except (Conflict, Unavailable) as error:
        session().rollback()
        flash(gettext("The message was not sent: %(problem)s.", problem=said_by(error)), "error")
    return redirect(url_for("ui.failed_messages"), 303)


@blueprint.post("/failed-messages/<uuid:letter_id>/discard")
def discard_message(letter_id: UUID) -> Any:
    operations.discard(session(), viewer_id(), letter_id)
    flash(gettext("Message discarded."), "done")
    return redirect(url_for("ui.failed_messages"), 303)
