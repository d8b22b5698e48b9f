"""Edits of a draft's flow: of one step, or of several as one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from flask import request

from flowforge.ascode.snippets import steps_in
from flowforge.connectors.api_calls.chosen import find_chosen
from flowforge.connectors.described import API, OPERATION
from flowforge.errors import Invalid
from flowforge.jsonio import JsonObject
from flowforge.language import edits
from flowforge.language.pointers import parsed, pointer
from flowforge.language.tree import actions_in, lists_in
from flowforge.sentences import sentence
from flowforge.workflows.api_steps import account_apis
from webapp.context import session
from webapp.translation.texts import gettext, lazy
from webapp.ui.base import blueprint
from webapp.ui.builder import found, refused
from webapp.ui.builder_clipboard import with_kept_secrets
from webapp.ui.builder_palette import split_choice
from webapp.ui.builder_saving import Edited, save_edit
from webapp.ui.guard import viewer_id


@blueprint.post("/workflows/<uuid:workflow_id>/build/edit")
def edit_draft(workflow_id: UUID) -> Any:
    """`op` says what is done to the steps `at`; `remove-branch:1` names a branch, too."""
    op = request.form.get("op", "").partition(":")[0]
    if op not in _OPERATIONS:
        return refused(found(workflow_id), Invalid.at("/op", sentence("there is no such edit")), 400)
    edit, message = _OPERATIONS[op]
    return save_edit(workflow_id, edit, str(message), is_fresh=op == "add")


def _chosen() -> list[str]:
    return request.form.getlist("at")


def _at() -> str:
    """The step of an edit that is about one."""
    return request.form.get("at", "")


def _into() -> tuple[str, int]:
    """Where something goes: a list of steps, and the position in it."""
    return request.form.get("into") or "/actions", request.form.get("position", 0, type=int)


def _opened_after(before: JsonObject, after: JsonObject) -> str:
    """The step that is open, where it is now; empty where it is gone."""
    opened = request.form.get("step", "")
    if not opened.startswith("/"):
        return opened
    identifier = edits.step_at(before, opened).get("id")
    found = (pointer(path) for path, action in actions_in(after["actions"]) if action.get("id") == identifier)
    return next(found, "") if identifier else ""


def _add(definition: JsonObject) -> Edited:
    into, position = _into()
    type_, api, operation = split_choice(request.form.get("type", ""))
    action = edits.blank(definition, type_, called=operation)
    if operation:
        config = {API: api, OPERATION: operation}
        action |= {"name": _title_of(config), "config": config}
    changed, [at] = edits.insert(definition, into, position, [action])
    return changed, at


def _title_of(config: JsonObject) -> str | None:
    """The title of an operation; None where there is no such operation any more."""
    chosen = find_chosen(config, account_apis(session(), viewer_id()))
    return chosen.operation.title if chosen else None


def _paste(definition: JsonObject) -> Edited:
    """Paste behind the chosen steps, else at the place that is named."""
    pasted = with_kept_secrets(steps_in(request.form.get("text", "")), definition)
    into, position = _behind(edits.outermost(definition, _chosen())[-1]) if _chosen() else _into()
    changed, added = edits.paste(definition, into, position, pasted)
    return changed, added[0]


def _behind(at: str) -> tuple[str, int]:
    into, position = _split_pointer(at)
    return into, position + 1


def _move(definition: JsonObject) -> Edited:
    return _move_to(definition, *_into())


def _move_to(definition: JsonObject, into: str, position: int) -> Edited:
    changed, moved = edits.move(definition, _chosen(), into, position)
    return changed, moved[0]


def _up(definition: JsonObject) -> Edited:
    """Steps of which the first is the first of a body move out of their block."""
    into, position = _split_pointer(edits.outermost(definition, _chosen())[0])
    if position > 0:
        return _move_to(definition, into, position - 1)
    owner = _owner(into)
    return _move_to(definition, *_split_pointer(owner)) if owner else (definition, _at())


def _down(definition: JsonObject) -> Edited:
    into, position = _split_pointer(edits.outermost(definition, _chosen())[-1])
    if position + 1 < len(_list(definition, into)):
        return _move_to(definition, into, position + 2)
    owner = _owner(into)
    return _move_to(definition, *_behind(owner)) if owner else (definition, _at())


def _out(definition: JsonObject) -> Edited:
    """Move steps behind the block that they are in."""
    into, _ = _split_pointer(edits.outermost(definition, _chosen())[0])
    owner = _owner(into)
    if not owner:
        raise Invalid.at("", gettext("The step is in no block."))
    return _move_to(definition, *_behind(owner))


def _in(definition: JsonObject) -> Edited:
    """Move steps to the end of the first list of the block above them."""
    into, position = _split_pointer(edits.outermost(definition, _chosen())[0])
    above = f"{into}/{position - 1}"
    inner = (
        [path for path, steps in lists_in(edits.step_at(definition, above)) if isinstance(steps, list)]
        if position
        else []
    )
    if not inner:
        raise Invalid.at("", gettext("There is no block above the step."))
    body = f"{above}{pointer(inner[0])}"
    return _move_to(definition, body, len(_list(definition, body)))


def _duplicate(definition: JsonObject) -> Edited:
    changed, copies = edits.duplicate(definition, _chosen())
    return changed, copies[0]


def _switch(definition: JsonObject) -> Edited:
    return edits.switch(definition, _chosen()), request.form.get("step", "")


def _delete(definition: JsonObject) -> Edited:
    changed = edits.remove(definition, _chosen())
    return changed, _opened_after(definition, changed)


def _note(definition: JsonObject) -> Edited:
    """Write the note on a step, or on the workflow where none is named."""
    return edits.annotate(definition, _at(), request.form.get("note", "")), request.form.get("step", "")


def _add_branch(definition: JsonObject) -> Edited:
    return edits.add_branch(definition, _at()), _opened()


def _remove_branch(definition: JsonObject) -> Edited:
    return _beside_block(definition, edits.remove_branch(definition, _at(), _branch()))


def _rename_branch(definition: JsonObject) -> Edited:
    name = request.form.get("name", "").strip()
    if not name:
        raise Invalid.at("", gettext("Name of the branch: is missing"))
    return edits.rename_branch(definition, _at(), _branch(), name), _opened()


def _move_branch(by: int) -> Callable[[JsonObject], Edited]:
    def move(definition: JsonObject) -> Edited:
        return _beside_block(definition, edits.move_branch(definition, _at(), _branch(), max(_branch() + by, 0)))

    return move


def _opened() -> str:
    """The step that is open; without our script, the one that is edited."""
    return request.form.get("step") or _at()


def _beside_block(before: JsonObject, after: JsonObject) -> Edited:
    """An edit by which only steps inside the block change their place."""
    return after, _at() if _opened() == _at() else _opened_after(before, after)


def _branch() -> int:
    """The number of the branch that the edit is about."""
    number = request.form.get("op", "").partition(":")[2]
    return int(number) if number.isdecimal() and len(number) < 5 else -1


def _split_pointer(at: str) -> tuple[str, int]:
    *into, position = parsed(at) or ("",)
    if not isinstance(position, int):
        raise Invalid.at("/at", sentence("there is no such step"))
    return pointer(into), position


def _list(definition: JsonObject, into: str) -> list[Any]:
    value: Any = definition
    for part in parsed(into):
        inside = isinstance(value, list) and isinstance(part, int) and part < len(value)
        value = value[part] if inside or (isinstance(value, dict) and part in value) else None
    return value if isinstance(value, list) else []


def _owner(into: str) -> str:
    """The step that has the list; empty for the workflow's own."""
    parts = parsed(into)[:-1]
    return pointer(parts[:-2] if len(parts) > 1 and parts[-2] == "branches" else parts)


_OPERATIONS: dict[str, tuple[Callable[[JsonObject], Edited], str]] = {
    "add": (_add, lazy("Step added.")),
    "paste": (_paste, lazy("Pasted.")),
    "move": (_move, lazy("Moved.")),
    "up": (_up, lazy("Moved up.")),
    "down": (_down, lazy("Moved down.")),
    "out": (_out, lazy("Moved out of the block.")),
    "in": (_in, lazy("Moved into the block.")),
    "duplicate": (_duplicate, lazy("Duplicated.")),
    "switch": (_switch, lazy("Enabled or disabled.")),
    "delete": (_delete, lazy("Deleted.")),
    "note": (_note, lazy("Note saved.")),
    "add-branch": (_add_branch, lazy("Branch added.")),
    "remove-branch": (_remove_branch, lazy("Branch deleted.")),
    "rename-branch": (_rename_branch, lazy("Branch renamed.")),
    "branch-up": (_move_branch(-1), lazy("Branch moved.")),
    "branch-down": (_move_branch(1), lazy("Branch moved.")),
}
