"""The operations, as this application's backends make them."""

from __future__ import annotations

from flowforge.connectors.catalog import load_catalog
from flowforge.operations.triggers import Triggers
from flowforge.operations.workflows import Workflows
from webapp.context import backends


def triggers() -> Triggers:
    return Triggers(backends().settings, backends().vault)


def workflows() -> Workflows:
    return Workflows(load_catalog(), backends().vault, triggers())
