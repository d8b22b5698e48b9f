"""Edits of a draft: each form of the builder is one, saved at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from flask import request

from flowforge.connectors.api_calls.chosen import find_chosen
from flowforge.connectors.catalog import load_catalog
from flowforge.connectors.described import API, OPERATION
from flowforge.errors import Conflict, Invalid
from flowforge.jsonio import JsonObject
from flowforge.language import edits
from flowforge.language.blocks import BLOCKS
from flowforge.language.bodies import default_branch_name
from flowforge.language.pointers import parsed, pointer
from flowforge.triggers.kinds.manual import MANUAL
from flowforge.workflows.api_steps import account_apis, account_of
from flowforge.workflows.changes import DraftChange
from flowforge.workflows.validation import config_of
from webapp.context import session
from webapp.services import drafts
from webapp.ui import undo
from webapp.ui.base import blueprint
from webapp.ui.builder import TRIGGER, answer, found, refused
from webapp.ui.builder_palette import split_choice
from webapp.ui.builder_trigger import trigger_form, trigger_keys
from webapp.ui.conditions import condition_from_form
from webapp.ui.config_forms import ConfigForm
from webapp.ui.forms import ARRANGE, OWN_ZONE, Form, draws_otherwise, without_undrawn
from webapp.ui.guard import viewer_id
from webapp.ui.step_fields import form_of_step
from webapp.ui.written_values import number_of
from webapp.ui.zones import viewers_zone

Edited = tuple[JsonObject, str]
"""The definition, and which step is open after it."""


@blueprint.post("/workflows/<uuid:workflow_id>/build/edit")
def edit_draft(workflow_id: UUID) -> Any:
    """`op` says what is done to the step `at`; `remove-branch:1` names a branch, too."""
    op = request.form.get("op", "").partition(":")[0]
    if op not in _OPERATIONS:
        return refused(found(workflow_id), Invalid.at("/op", "there is no such edit"), 400)
    return _edit(workflow_id, _OPERATIONS[op], _MESSAGES.get(op, ""), is_fresh=op == "add")


@blueprint.post("/workflows/<uuid:workflow_id>/build/name")
def edit_name(workflow_id: UUID) -> Any:
    def rename(definition: JsonObject) -> Edited:
        return {**definition, "name": request.form.get("name", "").strip()}, request.form.get("step", "")

    return _edit(workflow_id, rename, with_panel=False)


@blueprint.post("/workflows/<uuid:workflow_id>/build/note")
def edit_note(workflow_id: UUID) -> Any:
    """The note on the workflow as a whole."""

    def annotate(definition: JsonObject) -> Edited:
        note, written = request.form.get("note", "").strip(), definition.get("settings")
        settings = {**written} if isinstance(written, dict) else {}
        settings.pop("note", None)
        return {**definition, "settings": settings | ({"note": note} if note else {}) or None}, TRIGGER

    return _edit(workflow_id, annotate, with_panel=False)


@blueprint.post("/workflows/<uuid:workflow_id>/build/step")
def edit_step(workflow_id: UUID) -> Any:
    """The form of the open step, as it is being filled in; it is shown anew where other fields are to be drawn."""
    at = request.form.get("at", "")

    def has_other_fields(before: JsonObject, after: JsonObject) -> bool:
        return draws_otherwise(request.form) or _draws_other_fields(before, after, at)

    return _edit(workflow_id, _fill_in, with_panel=has_other_fields)


@blueprint.post("/workflows/<uuid:workflow_id>/build/trigger")
def edit_trigger(workflow_id: UUID) -> Any:
    type_, drawn = request.form.get("type", MANUAL), request.form.get("drawn", "")

    def choose(definition: JsonObject) -> Edited:
        before = definition.get("trigger") if isinstance(definition.get("trigger"), dict) else None
        config = (before or {}).get("config") or {} if type_ == drawn else {}
        if type_ == drawn:
            config = _without_undrawn(type_, trigger_form(type_, config).read(_posted(), config))
        return {**definition, "trigger": {"type": type_, "config": config}}, TRIGGER

    with_panel = type_ != drawn or draws_otherwise(request.form) or _has_other_fields(type_)
    return _edit(workflow_id, choose, with_panel=with_panel, is_fresh=type_ != drawn)


def _without_undrawn(type_: str, config: JsonObject) -> JsonObject:
    """The config without what belongs to something that is no longer chosen in it."""
    form = trigger_form(type_, config)
    drawn = {field.key for field in form.fields} | (form.view.stored if form.view else frozenset())
    return {key: value for key, value in config.items() if key in drawn or key not in trigger_keys(type_)}


def _has_other_fields(type_: str) -> bool:
    """Whether what was chosen in the form has other fields than those that it shows."""
    shown = request.form.get("fields")
    chosen = {name.removeprefix("config."): text for name, text in request.form.items()}
    form = trigger_form(type_, chosen)
    return shown is not None and form.view is None and shown.split() != [field.key for field in form.fields]


@blueprint.post("/workflows/<uuid:workflow_id>/build/undo")
def undo_edit(workflow_id: UUID) -> Any:
    workflow = found(workflow_id)
    before = undo.recall(workflow_id)
    if before is None:
        return refused(workflow, Invalid.at("", "there is nothing to take back"), 400)
    return _edit(workflow_id, lambda _: (before, request.form.get("step", "")), "Taken back.", keep=False)


def _edit(
    workflow_id: UUID,
    edit: Callable[[JsonObject], Edited],
    message: str = "",
    *,
    with_panel: bool | Callable[[JsonObject, JsonObject], bool] = True,
    keep: bool = True,
    is_fresh: bool = False,
) -> Any:
    """Saves what the edit makes of the draft, secrets in clear; what it was before can be had back.

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
    if keep:
        undo.remember(workflow_id, before)
    shows_panel = with_panel if isinstance(with_panel, bool) else with_panel(before, definition)
    return answer(workflow, draft, opened, message=message, with_panel=shows_panel, is_fresh=is_fresh)


def _fill_in(definition: JsonObject) -> Edited:
    at, form = request.form.get("at", ""), request.form
    action = edits.step_at(definition, at)
    type_, catalog = str(action.get("type", "")).upper(), load_catalog()
    before = config_of(action) or {}
    config = catalog.unmask(type_, _form(type_, before).read(_posted(), before), before)
    if _draws_by_config(type_):
        config = without_undrawn(_form(type_, config).fields, config)
    fields: JsonObject = {"config": config, "onError": _reaction(action, "onError")}
    block = BLOCKS.get(type_)
    fields["onReject"] = _reaction(action, "onReject") if block and block.can_be_rejected(config) else None
    fields |= {name: form[name].strip() or None for name in ("name", "note", "id", "afterCrash") if name in form}
    fields["when"] = _when(action)
    if "timeout" in form:
        fields["timeout"] = _number(form["timeout"])
    if "retry.attempts" in form:
        fields["retry"] = _retry(action)
    if isinstance(action.get("branches"), list):
        fields["branches"] = [_branch(number, branch) for number, branch in enumerate(action["branches"])]
    return edits.change(definition, at, fields), at


def _form(type_: str, config: JsonObject) -> ConfigForm:
    return form_of_step(load_catalog(), type_, config, account_of(session(), viewer_id()))


def _posted() -> Form:
    """The form, with the time zone of the account where the browser has not told its own."""
    posted = request.form.copy()
    posted.setdefault(OWN_ZONE, getattr(viewers_zone(), "key", ""))
    return posted


def _draws_by_config(type_: str) -> bool:
    """Whether the fields of a type depend on what is filled in."""
    catalog = load_catalog()
    return type_ in catalog.types() and catalog.get(type_).described is not None


def _draws_other_fields(before: JsonObject, after: JsonObject, at: str) -> bool:
    """Whether a step has other fields after an edit than before it."""
    one, other = edits.step_at(before, at), edits.step_at(after, at)
    type_ = str(other.get("type", "")).upper()
    if not _draws_by_config(type_):
        return False
    former, current = (_form(type_, config_of(action) or {}) for action in (one, other))
    return former.fields != current.fields


def _when(action: JsonObject) -> Any:
    before = _condition(action)
    written = condition_from_form(request.form, "when", before, request.form.get(ARRANGE, ""))
    return action.get("when") if written == before else written or None


def _reaction(action: JsonObject, key: str) -> Any:
    """A path of its own keeps the steps that it has."""
    before, chosen = action.get(key), request.form.get(key)
    if chosen is None:
        return before
    if chosen == "handle":
        return before if isinstance(before, list) else []
    return "continue" if chosen == "continue" else None


def _retry(action: JsonObject) -> JsonObject | None:
    attempts = _number(request.form["retry.attempts"])
    before = action["retry"] if isinstance(action.get("retry"), dict) else {}
    return None if attempts is None else {**before, "attempts": attempts}


def _branch(number: int, branch: Any) -> Any:
    form, prefix = request.form, f"branch.{number}"
    if not isinstance(branch, dict) or f"{prefix}.name" not in form:
        return branch
    own = {**branch, "name": form[f"{prefix}.name"].strip() or default_branch_name(number)}
    when, before = f"{prefix}.when", _condition(branch)
    written = condition_from_form(form, when, before, form.get(ARRANGE, ""))
    return own if written == before else {**own, "when": written}


def _condition(written: JsonObject) -> str:
    """The `when` of a step or a branch, as it is written; empty for none."""
    when = written.get("when")
    return when if isinstance(when, str) else ""


def _number(text: str) -> Any:
    """A number; anything else stays text, for the check to complain about."""
    stripped = text.strip()
    return number_of(stripped) if stripped else None


def _at() -> str:
    return request.form.get("at", "")


def _add(definition: JsonObject) -> Edited:
    into, position = request.form.get("into") or "/actions", request.form.get("position", 0, type=int)
    type_, api, operation = split_choice(request.form.get("type", ""))
    action = edits.blank(definition, type_, called=operation)
    if operation:
        config = {API: api, OPERATION: operation}
        action |= {"name": _title_of(config), "config": config}
    changed = edits.insert(definition, into, position, action)
    index = next(i for i, step in enumerate(_list(changed, into)) if isinstance(step, dict) and step == action)
    return changed, f"{into}/{index}"


def _title_of(config: JsonObject) -> str | None:
    """The title of an operation; None where there is no such operation any more."""
    chosen = find_chosen(config, account_apis(session(), viewer_id()))
    return chosen.operation.title if chosen else None


def _move(definition: JsonObject) -> Edited:
    return _move_into(definition, request.form.get("into", ""), request.form.get("position", 0, type=int))


def _up(definition: JsonObject) -> Edited:
    """Move a step that is the first of a body out of its block."""
    into, position = _split_pointer(_at())
    if position > 0:
        return _move_into(definition, into, position - 1)
    owner = _owner(_at())
    return _move_into(definition, *_split_pointer(owner)) if owner else (definition, _at())


def _down(definition: JsonObject) -> Edited:
    edits.step_at(definition, _at())
    into, position = _split_pointer(_at())
    if position + 1 < len(_list(definition, into)):
        return _move_into(definition, into, position + 2)
    owner = _owner(_at())
    if not owner:
        return definition, _at()
    around, owner_position = _split_pointer(owner)
    return _move_into(definition, around, owner_position + 1)


def _move_into(definition: JsonObject, into: str, position: int) -> Edited:
    changed = edits.move(definition, _at(), into, position)
    into, position = edits.landing(_at(), into, position)
    return changed, f"{into}/{min(position, len(_list(changed, into)) - 1)}"


def _duplicate(definition: JsonObject) -> Edited:
    into, position = _split_pointer(_at())
    return edits.duplicate(definition, _at()), f"{into}/{position + 1}"


def _switch(definition: JsonObject) -> Edited:
    off = edits.step_at(definition, _at()).get("enabled") is False
    return edits.change(definition, _at(), {"enabled": None if off else False}), request.form.get("step", "")


def _delete(definition: JsonObject) -> Edited:
    return edits.remove(definition, _at()), ""


def _add_branch(definition: JsonObject) -> Edited:
    return edits.add_branch(definition, _at()), _at()


def _remove_branch(definition: JsonObject) -> Edited:
    number = request.form.get("op", "").partition(":")[2]
    return edits.remove_branch(definition, _at(), int(number) if number.isdecimal() else -1), _at()


def _split_pointer(at: str) -> tuple[str, int]:
    *into, position = parsed(at) or ("",)
    if not isinstance(position, int):
        raise Invalid.at("/at", "there is no such step")
    return pointer(into), position


def _list(definition: JsonObject, into: str) -> list[Any]:
    value: Any = definition
    for part in parsed(into):
        inside = isinstance(value, list) and isinstance(part, int) and part < len(value)
        value = value[part] if inside or (isinstance(value, dict) and part in value) else None
    return value if isinstance(value, list) else []


def _owner(at: str) -> str:
    """The step around a step; empty where there is none."""
    parts = parsed(at)[:-2]
    return pointer(parts[:-2] if len(parts) > 1 and parts[-2] == "branches" else parts)


_OPERATIONS: dict[str, Callable[[JsonObject], Edited]] = {
    "add": _add,
    "move": _move,
    "up": _up,
    "down": _down,
    "duplicate": _duplicate,
    "switch": _switch,
    "delete": _delete,
    "add-branch": _add_branch,
    "remove-branch": _remove_branch,
}
_MESSAGES = {
    "add": "Step added.",
    "move": "Moved.",
    "up": "Moved up.",
    "down": "Moved down.",
    "duplicate": "Duplicated.",
    "switch": "Switched.",
    "delete": "Deleted.",
    "add-branch": "Branch added.",
    "remove-branch": "Branch deleted.",
}
