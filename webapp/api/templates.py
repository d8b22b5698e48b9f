"""/api/v1/templates: workflows to begin with."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint

from flowforge.jsonio import JsonObject
from flowforge.onboarding import gallery
from flowforge.onboarding.template import Template
from flowforge.onboarding.template_tables import make_missing_tables
from flowforge.workflows.changes import WorkflowChange
from flowforge.workflows.views import WorkflowView
from webapp.api import dashboard_schemas, schemas
from webapp.context import session
from webapp.endpoint import Tag, created, endpoint, object_body
from webapp.identity import current_user_id
from webapp.services import workflows

blueprint = Blueprint("templates", __name__, url_prefix="/api/v1/templates")


@blueprint.get("")
@endpoint(Tag.WORKFLOWS, [dashboard_schemas.Template])
def list_all() -> Sequence[Template]:
    """List the templates, and what each wants to know"""
    return [*gallery.templates().values()]


@blueprint.post("/<name>")
@endpoint(Tag.WORKFLOWS, created(schemas.Workflow), takes=object_body(may_be_absent=True), refuses=(403, 409))
def use(name: str, body: JsonObject) -> WorkflowView:
    """Make a workflow from a template; the body holds its fields"""
    chosen = gallery.template(name)
    definition = chosen.filled(body)
    make_missing_tables(session(), current_user_id(), chosen)
    return workflows().create(session(), current_user_id(), WorkflowChange(definition))
