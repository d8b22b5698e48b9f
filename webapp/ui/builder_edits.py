"""Edits of a draft by its forms, which are saved while they are filled in."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import request

from flowforge.connectors.catalog import load_catalog
from flowforge.jsonio import JsonObject
from flowforge.language import edits
from flowforge.language.blocks import BLOCKS
from flowforge.language.bodies import default_branch_name
from flowforge.language.definition import written_time_zone
from flowforge.triggers.kinds.manual import MANUAL
from flowforge.workflows.api_steps import account_of
from flowforge.workflows.validation import config_of
from webapp.context import session
from webapp.ui.base import blueprint
from webapp.ui.builder import TRIGGER
from webapp.ui.builder_saving import Edited, save_edit
from webapp.ui.builder_settings import SETTINGS, settings_panel, with_settings
from webapp.ui.builder_trigger import trigger_form, trigger_keys
from webapp.ui.conditions import condition_from_form
from webapp.ui.config_forms import ConfigForm
from webapp.ui.forms import ARRANGE, OWN_ZONE, Form, config_from_form, draws_otherwise, without_undrawn
from webapp.ui.guard import viewer_id
from webapp.ui.step_fields import form_of_step
from webapp.ui.written_values import number_of
from webapp.ui.zones import viewers_zone


@blueprint.post("/workflows/<uuid:workflow_id>/build/name")
def edit_name(workflow_id: UUID) -> Any:
    def rename(definition: JsonObject) -> Edited:
        return {**definition, "name": request.form.get("name", "").strip()}, request.form.get("step", "")

    return save_edit(workflow_id, rename, with_panel=False)


@blueprint.post("/workflows/<uuid:workflow_id>/build/note")
def edit_note(workflow_id: UUID) -> Any:
    """The note on the workflow as a whole."""

    def annotate(definition: JsonObject) -> Edited:
        return edits.annotate(definition, "", request.form.get("note", "")), TRIGGER

    return save_edit(workflow_id, annotate, with_panel=False)


@blueprint.post("/workflows/<uuid:workflow_id>/build/settings")
def edit_settings(workflow_id: UUID) -> Any:
    def fill_in(definition: JsonObject) -> Edited:
        panel = settings_panel(definition)
        values = config_from_form(panel.fields, _posted(with_own_zone=False), panel.values)
        return with_settings(definition, values), SETTINGS

    return save_edit(workflow_id, fill_in, with_panel=draws_otherwise(request.form))


@blueprint.post("/workflows/<uuid:workflow_id>/build/step")
def edit_step(workflow_id: UUID) -> Any:
    """The form of the open step, as it is being filled in; it is shown anew where other fields are to be drawn."""
    at = request.form.get("at", "")

    def has_other_fields(before: JsonObject, after: JsonObject) -> bool:
        return draws_otherwise(request.form) or _draws_other_fields(before, after, at)

    return save_edit(workflow_id, _fill_in, with_panel=has_other_fields)


@blueprint.post("/workflows/<uuid:workflow_id>/build/trigger")
def edit_trigger(workflow_id: UUID) -> Any:
    type_, drawn = request.form.get("type", MANUAL), request.form.get("drawn", "")

    def choose(definition: JsonObject) -> Edited:
        before = definition.get("trigger") if isinstance(definition.get("trigger"), dict) else None
        config = (before or {}).get("config") or {} if type_ == drawn else {}
        if type_ == drawn:
            posted = _posted(with_own_zone=written_time_zone(definition) is None)
            config = _without_undrawn(type_, trigger_form(type_, config).read(posted, config))
        return {**definition, "trigger": {"type": type_, "config": config}}, TRIGGER

    with_panel = type_ != drawn or draws_otherwise(request.form) or _has_other_fields(type_)
    return save_edit(workflow_id, choose, with_panel=with_panel, is_fresh=type_ != drawn)


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


def _posted(*, with_own_zone: bool = True) -> Form:
    """The form, with a time zone for fields that were not drawn yet: the browser's, or the account's."""
    posted = request.form.copy()
    if with_own_zone:
        posted.setdefault(OWN_ZONE, getattr(viewers_zone(), "key", ""))
    else:
        posted.pop(OWN_ZONE, None)
    return posted


def _draws_by_config(type_: str) -> bool:
    """Whether the fields of a type depend on what is filled in."""
    catalog = load_catalog()
    return type_ in catalog and catalog.get(type_).described is not None


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
