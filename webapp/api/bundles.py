"""Workflows as code: many at once, in and out, and the schema that editors check their files by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from flask import Blueprint, Response
from pydantic import Field

from flowforge import jsonio
from flowforge.ascode.schema import workflow_schema
from flowforge.connectors.catalog import load_catalog
from flowforge.errors import Invalid
from flowforge.sentences import sentence
from flowforge.workflows.bundle import MOST_WORKFLOWS, Bundle
from flowforge.workflows.bundles import Applied, Document
from webapp.api import bundle_schemas
from webapp.api.paging import StrictPage
from webapp.context import session
from webapp.endpoint import Answer, Tag, endpoint, object_body
from webapp.identity import current_user_id
from webapp.query_params import Query, WholeNumber
from webapp.services import bundles

SCHEMA = "application/schema+json"

blueprint = Blueprint("bundles", __name__, url_prefix="/api")


class ExportQuery(Query):
    name: list[str] = Field([], description="Keys or names; none: all workflows.")
    page: StrictPage = 0
    size: Annotated[int, WholeNumber(1, MOST_WORKFLOWS, default=MOST_WORKFLOWS)] = Field(
        MOST_WORKFLOWS, description=f"At most {MOST_WORKFLOWS}."
    )


@dataclass(frozen=True, slots=True)
class Exported:
    workflows: Sequence[Document]


@blueprint.post("/v1/workflows/apply")
@endpoint(
    Tag.AS_CODE, bundle_schemas.Applied, takes=object_body(bundle_schemas.Bundle, Bundle.read), refuses=(403, 409)
)
def apply(body: Bundle) -> Applied:
    """Create and change many workflows, all together or not at all"""
    return bundles().apply(session(), current_user_id(), body)


@blueprint.get("/v1/workflows/export")
@endpoint(Tag.AS_CODE, bundle_schemas.Exported, query=ExportQuery)
def export(query: ExportQuery) -> Exported:
    """Workflows as they are applied, secrets masked, by name"""
    if len(query.name) > MOST_WORKFLOWS:
        raise Invalid.at("/name", sentence("may be given %(most)s times", most=MOST_WORKFLOWS))
    return Exported(bundles().export(session(), current_user_id(), query.name, page=query.page, size=query.size))


@blueprint.get("/schema/workflow.json")
@endpoint(Tag.AS_CODE, {200: Answer(None, "A JSON Schema, 2020-12", SCHEMA)}, public=True)
def schema() -> Response:
    """The JSON Schema of a workflow, as files hold it"""
    return Response(jsonio.dumps(workflow_schema(load_catalog())), mimetype=SCHEMA)
