"""Dead letters: look at them, send them again, discard them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for

from flowforge.errors import Conflict, Unavailable
from flowforge.executions import dead_letters as operations
from webapp.context import backends, session
from webapp.ui.base import blueprint
from webapp.ui.guard import viewer_id


@blueprint.get("/dead-letters")
def dead_letters() -> str:
    after = request.args.get("after", type=UUID)
    return render_template(
        "dead_letters/list.html",
        page=operations.page_of(session(), viewer_id(), after),
        after=after,
    )


@blueprint.post("/dead-letters/<uuid:letter_id>/retry")
def retry_dead_letter(letter_id: UUID) -> Any:
    try:
        operations.send_again(session(), backends().bus, viewer_id(), letter_id)
        flash("It is back on its topic. If it still cannot be read, it returns here.", "done")
    except (Conflict, Unavailable) as error:
        session().rollback()
        flash(f"It was not sent: {error}.", "error")
    return redirect(url_for("ui.dead_letters"), 303)


@blueprint.post("/dead-letters/<uuid:letter_id>/discard")
def discard_dead_letter(letter_id: UUID) -> Any:
    operations.discard(session(), viewer_id(), letter_id)
    flash("It was discarded.", "done")
    return redirect(url_for("ui.dead_letters"), 303)
