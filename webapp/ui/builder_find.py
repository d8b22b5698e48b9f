"""Finding in the builder: the steps of a draft that have a text in their names, types, ids, notes or fields."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from uuid import UUID

from flask import render_template, request

from flowforge.connectors.catalog import Catalog, load_catalog
from flowforge.jsonio import JsonObject
from flowforge.language import finding
from flowforge.language.blocks import BLOCKS
from flowforge.language.finding import TRIGGER, Match
from flowforge.secrets import MASK
from flowforge.triggers.kinds import trigger_kinds
from webapp.context import session
from webapp.services import drafts
from webapp.translation.texts import lazy, translated
from webapp.ui.base import blueprint
from webapp.ui.guard import viewer_id
from webapp.ui.kinds import kind_of

_LONGEST_SEARCH = 200
_MOST_FOUND = 1_000
_AROUND = 30
"""Characters that are shown on either side of what was found."""
_LABELS = {
    "name": lazy("Name"),
    "type": lazy("Type"),
    "id": lazy("ID"),
    "note": lazy("Note"),
    "when": lazy("Condition"),
    "branches": lazy("Branches"),
}


@dataclass(frozen=True, slots=True)
class Found:
    """A step with what was found in it: the field's label, and the text around."""

    at: str
    label: str
    excerpt: str


@blueprint.get("/workflows/<uuid:workflow_id>/build/find")
def find_in_draft(workflow_id: UUID) -> str:
    """The steps that have the text `q`, in the order of the flow."""
    wanted = request.args.get("q", "").strip()[:_LONGEST_SEARCH]
    shown = drafts().get(session(), viewer_id(), workflow_id)
    found = _found(shown.definition, wanted) if wanted else iter(())
    return render_template("builder/_found.html", found=list(islice(found, _MOST_FOUND)))


def _found(definition: JsonObject, wanted: str) -> Iterator[Found]:
    catalog = load_catalog()
    for match in finding.matches(definition, wanted, partial(_type_title, catalog), MASK):
        yield Found(match.at, _label(match, catalog), _excerpt(match.text, wanted))


def _type_title(catalog: Catalog, at: str, step: JsonObject) -> str:
    type_ = str(step.get("type", ""))
    if at != TRIGGER:
        return translated(kind_of(catalog, type_.upper()).title)
    return translated(trigger_kinds()[type_].title) if type_ in trigger_kinds() else type_


def _label(match: Match, catalog: Catalog) -> str:
    first, *rest = (str(part) for part in match.field)
    if first != "config" or not rest:
        return str(_LABELS.get(first, first))
    field = _fields(match, catalog).get(rest[0])
    return translated(str(field.get("title", rest[0]))) if field else rest[0]


def _fields(match: Match, catalog: Catalog) -> JsonObject:
    """The schemas of a step's fields, by key; none where its type is unknown."""
    type_ = str(match.step.get("type", ""))
    if match.at == TRIGGER:
        schema = trigger_kinds()[type_].config.model_json_schema() if type_ in trigger_kinds() else {}
    elif type_.upper() in BLOCKS:
        schema = BLOCKS[type_.upper()].config_schema()
    else:
        schema = catalog.get(type_).config_schema() if type_.upper() in catalog else {}
    fields: JsonObject = schema.get("properties", {})
    return fields


def _excerpt(text: str, wanted: str) -> str:
    line = " ".join(text.split())
    start = max(line.casefold().find(wanted.casefold()), 0)
    begin, end = max(start - _AROUND, 0), start + len(wanted) + _AROUND
    return f"{'…' if begin else ''}{line[begin:end]}{'…' if end < len(line) else ''}"
