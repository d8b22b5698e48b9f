"""Saving an edit of a draft."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from flask import request

from flowforge.errors import Conflict, Invalid
from flowforge.jsonio import JsonObject
from flowforge.workflows.changes import DraftChange
from webapp.context import session
from webapp.services import drafts
from webapp.ui import undo
from webapp.ui.builder import answer, found, refused
from webapp.ui.guard import viewer_id

Edited = tuple[JsonObject, str]
"""The definition, and which step is open after it."""
Edit = Callable[[JsonObject], Edited]
"""What it makes of a definition, secrets in clear. Raises Invalid."""


def save_edit(
    workflow_id: UUID,
    edit: Edit,
    message: str = "",
    *,
    with_panel: bool | Callable[[JsonObject, JsonObject], bool] = True,
    remember: Callable[[UUID, JsonObject], None] = undo.remember,
    is_fresh: bool = False,
) -> Any:
    """Saves what the edit makes of the draft; `remember` keeps what it was before, so that it can be had back.

    `with_panel`: whether the panel is shown anew, which may depend on the definition before and after."""
    workflow, revision = found(workflow_id), request.form.get("revision", 0, type=int)
    try:
        before = drafts().clear(session(), viewer_id(), workflow_id)
        definition, opened = edit(before)
        draft = drafts().save(session(), viewer_id(), workflow_id, DraftChange(definition, revision))
    except Conflict as error:
        return refused(workflow, error, 409)
    except Invalid as error:
        return refused(workflow, error, 400)
    remember(workflow_id, before)
    shows_panel = with_panel if isinstance(with_panel, bool) else with_panel(before, definition)
    return answer(workflow, draft, opened, message=message, with_panel=shows_panel, is_fresh=is_fresh)
