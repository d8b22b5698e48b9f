"""/api/v1/executor/plugins: what steps can do here."""

from __future__ import annotations

from typing import Any

from flask import Blueprint

from flowforge.connectors.catalog import Catalog, load_catalog
from flowforge.connectors.connector import Connector
from flowforge.language.block import Block
from flowforge.language.blocks import BLOCKS
from webapp.api import schemas
from webapp.endpoint import Tag, endpoint

blueprint = Blueprint("executor", __name__, url_prefix="/api/v1/executor")


@blueprint.get("/plugins")
@endpoint(Tag.CONNECTORS, schemas.Plugins)
def plugins() -> schemas.Plugins:
    """The action types, and what each of them is configured with"""
    catalog = load_catalog()
    return schemas.Plugins(
        supported_action_types=catalog.types(),
        connectors=[_connector(catalog, connector) for connector in catalog.connectors()],
        blocks=[_block(block) for block in BLOCKS.values()],
        disabled=dict(catalog.disabled),
    )


def _connector(catalog: Catalog, connector: Connector[Any]) -> schemas.Connector:
    kinds = [kind.type for kind in catalog.kinds_for(connector)]
    return schemas.Connector(
        type=connector.type,
        title=connector.title,
        help=connector.help,
        icon=connector.icon,
        repeatable=connector.repeatable is True,
        connection=kinds[0] if kinds else None,
        config=connector.config_schema(),
        keywords=list(connector.keywords),
        connections=kinds,
    )


def _block(block: Block[Any]) -> schemas.BlockType:
    return schemas.BlockType(
        type=block.type,
        title=block.title,
        help=block.help,
        icon=block.icon,
        bodies=block.bodies.value,
        config=block.config_schema(),
    )
