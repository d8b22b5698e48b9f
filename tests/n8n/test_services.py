"""Nodes of services: every operation in the tables becomes a step that passes the check of definitions."""

from __future__ import annotations

from typing import Any

import pytest

from flowforge.ascode.checking import problems_of
from flowforge.n8n.nodes.services import services
from tests.n8n.graphs import CALLED, graph, imported, node

Json = dict[str, Any]

_OPERATIONS = [(type_, key) for type_, service in services().items() for key in service["operations"]]


def _node(type_: str, key: str) -> Json:
    resource, operation = key.split("/")
    return node("N", type_, {name: value for name, value in _named(resource, operation).items() if value})


def _named(resource: str, operation: str) -> Json:
    return {"resource": resource, "operation": operation}


@pytest.mark.parametrize(("type_", "key"), _OPERATIONS)
def test_every_operation_becomes_a_step_that_can_be_saved(type_: str, key: str) -> None:
    found = imported(graph([CALLED, _node(type_, key)], "Call > N"))
    (workflow,) = found.workflows
    assert found.report.is_whole, found.report.nodes
    assert problems_of({"definition": workflow.definition}) == []
