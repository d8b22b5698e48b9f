"""Templates: for an account that has no workflow yet, and for anyone who wants another one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from flask import flash, redirect, render_template, request, url_for

from flowforge.connectors.catalog import load_catalog
from flowforge.errors import Invalid
from flowforge.jsonio import JsonObject
from flowforge.onboarding import gallery
from flowforge.onboarding.template import Template, TemplateField
from flowforge.onboarding.template_tables import make_missing_tables
from flowforge.workflows.changes import WorkflowChange
from webapp.context import session
from webapp.services import connections, drafts, workflows
from webapp.translation.texts import gettext, said
from webapp.ui.base import blueprint
from webapp.ui.builder_flow import Node, flow_of
from webapp.ui.guard import viewer_id

_MOST_DRAWN = 6


@dataclass(frozen=True, slots=True)
class Card:
    """A template with its flow: the kind of its trigger, and its steps."""

    template: Template
    trigger: str
    steps: Sequence[Node]

    @property
    def drawn(self) -> Sequence[Node]:
        """The steps in its picture."""
        return self.steps[:_MOST_DRAWN]


def cards_of(templates: Sequence[Template]) -> list[Card]:
    return [_card(one) for one in templates]


@blueprint.get("/templates")
def templates() -> str:
    text = request.args.get("q", "")
    found = cards_of(gallery.matching_templates(text))
    groups = [(group, list(cards)) for group, cards in groupby(found, key=lambda card: card.template.group)]
    return render_template("workflows/templates.html", groups=groups, text=text)


@blueprint.get("/templates/<name>")
def template(name: str) -> str:
    return _form(gallery.template(name))


@blueprint.post("/templates/<name>")
def use_template(name: str) -> Any:
    """The workflow; a draft of it where it needs connections that the viewer does not have yet."""
    chosen = gallery.template(name)
    missing = {field.name: chosen.example(field) for field in chosen.connections if not request.form.get(field.name)}
    try:
        definition = chosen.filled({**request.form, **missing})
        make_missing_tables(session(), viewer_id(), chosen)
        if missing:
            return _as_draft(definition)
        made = workflows().create(session(), viewer_id(), WorkflowChange(definition))
    except Invalid as error:
        session().rollback()
        return _form(chosen, error.problems), 400
    flash(gettext("“%(name)s” created and enabled.", name=made.name), "done")
    return redirect(url_for("ui.workflow", workflow_id=made.id), 303)


def _as_draft(definition: JsonObject) -> Any:
    made = drafts().begin(session(), viewer_id(), str(definition["name"]), definition)
    flash(gettext("“%(name)s” is a draft: choose its connections, then publish it.", name=made.name), "done")
    return redirect(url_for("ui.builder", workflow_id=made.id), 303)


def _form(chosen: Template, problems: Any = ()) -> str:
    of_fields = {f"/{field.name}" for field in chosen.fields}
    return render_template(
        "workflows/template.html",
        template=chosen,
        card=_card(chosen),
        connections={field.name: _usable_connections(chosen, field) for field in chosen.connections},
        entered=request.form,
        problems={problem.pointer.rpartition("/")[2]: said(problem.message) for problem in problems},
        others=[problem for problem in problems if problem.pointer not in of_fields],
    )


def _card(template: Template) -> Card:
    trigger = template.definition.get("trigger", {}).get("type", "")
    return Card(template, trigger, flow_of(template.definition, (), load_catalog()).steps)


def _usable_connections(chosen: Template, field: TemplateField) -> list[str]:
    """The names of the viewer's connections that all steps take for which the field stands."""
    catalog = load_catalog()
    kinds = [{kind.type for kind in catalog.kinds_for(catalog.get(type_))} for type_ in chosen.step_types(field)]
    usable = set.intersection(*kinds)
    return [row.name for row in connections().all(session(), viewer_id()) if row.type in usable]
