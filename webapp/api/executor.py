"""/api/v1/executor/plugins: what steps can do here."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from flowforge.connectors.catalog import load_catalog
from flowforge.language.blocks import BLOCKS
from webapp.api import schemas
from webapp.endpoint import Tag, endpoint

blueprint = Blueprint("executor", __name__, url_prefix="/api/v1/executor")


@blueprint.get("/plugins")
@endpoint(Tag.CONNECTORS, schemas.Plugins)
def plugins() -> Response:
    """The action types, and what each of them is configured with"""
    catalog = load_catalog()
    return jsonify(
        {
            "supportedActionTypes": catalog.types(),
            "connectors": [catalog.get(type_).json_schema() for type_ in catalog.types()],
            "blocks": [block.json_schema() for block in BLOCKS.values()],
            "disabled": catalog.disabled,
        }
    )
