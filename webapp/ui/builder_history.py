"""Undo and redo in the builder."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import request

from flowforge.errors import Invalid
from flowforge.jsonio import JsonObject
from webapp.translation.texts import gettext
from webapp.ui import undo
from webapp.ui.base import blueprint
from webapp.ui.builder import found, refused
from webapp.ui.builder_saving import Edited, save_edit
from webapp.ui.undo import Direction


@blueprint.post("/workflows/<uuid:workflow_id>/build/undo")
def undo_edit(workflow_id: UUID) -> Any:
    return _turn(workflow_id, Direction.UNDO, gettext("Undone."), gettext("There is nothing to undo."))


@blueprint.post("/workflows/<uuid:workflow_id>/build/redo")
def redo_edit(workflow_id: UUID) -> Any:
    return _turn(workflow_id, Direction.REDO, gettext("Redone."), gettext("There is nothing to redo."))


def _turn(workflow_id: UUID, direction: Direction, message: str, nothing: str) -> Any:
    workflow, kept = found(workflow_id), undo.recall(workflow_id, direction)
    if kept is None:
        return refused(workflow, Invalid.at("", nothing), 400)

    def turn_back(_: JsonObject) -> Edited:
        return kept, request.form.get("step", "")

    def note(workflow_id: UUID, before: JsonObject) -> None:
        undo.turn(workflow_id, direction, before)

    return save_edit(workflow_id, turn_back, message, remember=note)
