"""What is done to the workflows that are selected in their list, one or many, and how it is undone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import redirect, request, url_for

from flowforge.errors import Invalid
from flowforge.jsonio import JsonObject
from flowforge.sentences import sentence
from flowforge.workflows import deleted_workflows, folders, tags
from flowforge.workflows.changes import WorkflowChange
from flowforge.workflows.selections import MOST
from webapp.context import backends, session
from webapp.services import drafts
from webapp.services import workflows as operations
from webapp.translation.texts import gettext, ngettext, said_by
from webapp.ui import undoable_changes
from webapp.ui.base import blueprint
from webapp.ui.each import do_to_each
from webapp.ui.guard import return_path, viewer_id
from webapp.ui.notices import tell
from webapp.ui.workflow_export import exported

_LONGEST_NAME = 255


@dataclass(frozen=True, slots=True)
class Done:
    """What was done, in words, and what undoes it: the name of an undoing with what it needs."""

    text: str
    undo: JsonObject | None = None


@blueprint.post("/workflows/bulk")
def change_workflows() -> Any:
    """`action` names what is done, `id` to which; `folder` and `tag` belong to two of the actions."""
    ids = request.form.getlist("id", type=UUID)[:MOST]
    action, back = request.form.get("action", ""), return_path(request.form.get("back", "/workflows"))
    if not ids:
        tell(gettext("Select at least one workflow."), "error")
        return redirect(back, 303)
    if action == "export":
        return exported(ids) or _refuse_export(back)
    if action not in _ACTIONS:
        raise Invalid.at("/action", sentence("must be one of %(choices)s", choices=", ".join([*_ACTIONS, "export"])))
    try:
        done = _ACTIONS[action](ids)
    except Invalid as error:
        session().rollback()
        tell(gettext("Nothing was changed: %(problem)s.", problem=said_by(error)), "error")
        return redirect(back, 303)
    tell(done.text, undo=undoable_changes.keep(done.undo) if done.undo else None)
    return redirect(back, 303)


@blueprint.post("/workflows/undo")
def undo_change() -> Any:
    change = undoable_changes.take(request.form.get("undo", ""))
    if change is None:
        tell(gettext("This can no longer be undone."), "error")
    else:
        _UNDOINGS[change["name"]](change)
        tell(gettext("Undone."))
    return redirect(return_path(request.form.get("back", "/workflows")), 303)


@blueprint.post("/workflows/<uuid:workflow_id>/duplicate")
def duplicate_workflow(workflow_id: UUID) -> Any:
    """A copy as a draft, with its secrets, open in the builder."""
    original = drafts().clear(session(), viewer_id(), workflow_id)
    name = gettext("Copy of %(name)s", name=str(original.get("name") or ""))[:_LONGEST_NAME]
    copy = drafts().duplicate(session(), viewer_id(), workflow_id, name)
    return redirect(url_for("ui.builder", workflow_id=copy.id), 303)


def _refuse_export(back: str) -> Any:
    tell(gettext("There is nothing to export: a draft has to be published first."), "error")
    return redirect(back, 303)


def _enable(ids: Sequence[UUID]) -> Done:
    changed, problem = _switch(ids, enabled=True)
    text = ngettext("%(count)s workflow enabled.", "%(count)s workflows enabled.", len(changed))
    return Done(f"{text} {problem}".strip(), _undoing("disable", changed))


def _disable(ids: Sequence[UUID]) -> Done:
    changed, problem = _switch(ids, enabled=False)
    text = ngettext("%(count)s workflow disabled.", "%(count)s workflows disabled.", len(changed))
    return Done(f"{text} {problem}".strip(), _undoing("enable", changed))


def _delete(ids: Sequence[UUID]) -> Done:
    changed, problem = do_to_each(ids, lambda id_: operations().delete(session(), viewer_id(), id_))
    text = ngettext("%(count)s workflow deleted.", "%(count)s workflows deleted.", len(changed))
    return Done(f"{text} {problem}".strip(), _undoing("restore", changed))


def _move(ids: Sequence[UUID]) -> Done:
    folder = folders.read(request.form.get("folder"))
    before = folders.move(session(), viewer_id(), ids, folder)
    text = ngettext("%(count)s workflow moved.", "%(count)s workflows moved.", len(before))
    return Done(text, _undoing("move", before, before=[*before.values()]))


def _tag(ids: Sequence[UUID]) -> Done:
    tag = tags.read_one(request.form.get("tag"))
    added = tags.add(session(), viewer_id(), ids, tag)
    text = ngettext("%(count)s workflow tagged.", "%(count)s workflows tagged.", len(added))
    return Done(text, _undoing("untag", added, tag=tag))


_ACTIONS: Mapping[str, Callable[[Sequence[UUID]], Done]] = {
    "enable": _enable,
    "disable": _disable,
    "move": _move,
    "tag": _tag,
    "delete": _delete,
}


def _undoing(name: str, changed: Any, **more: Any) -> JsonObject | None:
    """What undoes a change; None where nothing was changed."""
    return {"name": name, "ids": [str(id_) for id_ in changed], **more} if changed else None


def _move_back(change: JsonObject) -> None:
    for former in {*change["before"]}:
        ids = [id_ for id_, was in zip(_ids(change), change["before"], strict=True) if was == former]
        folders.move(session(), viewer_id(), ids, former)


def _restore(change: JsonObject) -> None:
    do_to_each(_ids(change), lambda id_: deleted_workflows.restore(session(), backends().settings, viewer_id(), id_))


_UNDOINGS: Mapping[str, Callable[[JsonObject], object]] = {
    "enable": lambda change: _switch(_ids(change), enabled=True),
    "disable": lambda change: _switch(_ids(change), enabled=False),
    "move": _move_back,
    "untag": lambda change: tags.remove(session(), viewer_id(), _ids(change), change["tag"]),
    "restore": _restore,
}


def _ids(change: JsonObject) -> list[UUID]:
    return [UUID(id_) for id_ in change["ids"]]


def _switch(ids: Sequence[UUID], *, enabled: bool) -> tuple[list[UUID], str]:
    """Returns those that were not so before."""

    def switch(id_: UUID) -> object:
        if operations().load(session(), viewer_id(), id_).enabled == enabled:
            return False
        return operations().update(session(), viewer_id(), id_, WorkflowChange(enabled=enabled))

    return do_to_each(ids, switch)
