"""What is done to the executions that are selected in their list."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from flask import redirect, request

from flowforge.errors import Invalid
from flowforge.executions import deleting, executions, replays
from flowforge.executions.deleting import MOST_EXECUTIONS
from flowforge.executions.replay_requests import ReplayRequest
from flowforge.sentences import sentence
from webapp.context import backends, session
from webapp.translation.texts import gettext, ngettext
from webapp.ui.base import blueprint
from webapp.ui.each import do_to_each
from webapp.ui.guard import return_path, viewer_id
from webapp.ui.notices import tell


@blueprint.post("/executions/bulk")
def change_executions() -> Any:
    """`action` names what is done, `id` to which."""
    ids, action = request.form.getlist("id", type=UUID)[:MOST_EXECUTIONS], request.form.get("action", "")
    back = return_path(request.form.get("back", "/executions"))
    if action not in _ACTIONS:
        raise Invalid.at("/action", sentence("must be one of %(choices)s", choices=", ".join(_ACTIONS)))
    if ids:
        tell(_ACTIONS[action](ids))
    else:
        tell(gettext("Select at least one execution."), "error")
    return redirect(back, 303)


def _cancel(ids: Sequence[UUID]) -> str:
    done, problem = do_to_each(
        ids, lambda id_: executions.cancel(session(), backends(), viewer_id(), id_).status == "CANCELLED"
    )
    text = ngettext("%(count)s execution cancelled.", "%(count)s executions cancelled.", len(done))
    return f"{text} {problem}".strip()


def _replay(ids: Sequence[UUID]) -> str:
    again = ReplayRequest.read({"from": "start", "version": "same"})
    done, problem = do_to_each(ids, lambda id_: replays.replay(session(), backends(), viewer_id(), id_, again))
    text = ngettext("%(count)s replay started.", "%(count)s replays started.", len(done))
    return f"{text} {problem}".strip()


def _delete(ids: Sequence[UUID]) -> str:
    count = deleting.delete_ended(session(), backends(), viewer_id(), ids)
    text = ngettext("%(count)s execution deleted.", "%(count)s executions deleted.", count)
    kept = gettext("Those that are still running were kept.")
    return text if count == len(ids) else f"{text} {kept}"


_ACTIONS: Mapping[str, Callable[[Sequence[UUID]], str]] = {
    "cancel": _cancel,
    "replay": _replay,
    "delete": _delete,
}
