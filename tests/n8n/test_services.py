"""Nodes of services: every operation in the tables becomes steps that pass the check of definitions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from flowforge.ascode.checking import problems_of
from flowforge.n8n.nodes.services import services
from tests.n8n.graphs import CALLED, actions, graph, imported, node, sets

Json = dict[str, Any]


def _every_row() -> Iterator[Any]:
    """The type of a node, with the parameters by which each row of its table is chosen."""
    for type_, service in services().items():
        for key, rows in service["operations"].items():
            for number, row in enumerate(rows if isinstance(rows, list) else [rows]):
                yield pytest.param(type_, _chosen_by(service, key, row), id=f"{type_}-{key}-{number}")


def _chosen_by(service: Mapping[str, Any], key: str, row: Any) -> Json:
    chosen = dict(zip(service.get("by", ["resource", "operation"]), key.split("/"), strict=True))
    when = row.get("when", {}) if isinstance(row, dict) else {}
    values = {name: value[-1] if isinstance(value, list) else value for name, value in when.items()}
    return {name: value for name, value in (chosen | values).items() if value not in ("", None)}


def _actions(type_: str, parameters: Json) -> list[Json]:
    return actions(graph([CALLED, node("N", type_, parameters)], "Call > N"))


def _notes(type_: str, parameters: Json) -> list[str]:
    found = imported(graph([CALLED, node("N", type_, parameters)], "Call > N"))
    return [note for each in found.report.nodes if each.name == "N" for note in each.notes]


@pytest.mark.parametrize(("type_", "parameters"), list(_every_row()))
def test_every_row_becomes_steps_that_can_be_saved(type_: str, parameters: Json) -> None:
    follows = sets("Then", x="={{ $json.name }}")
    found = imported(graph([CALLED, node("N", type_, parameters), follows], "Call > N", "N > Then"))
    (workflow,) = found.workflows
    assert found.report.is_whole, found.report.nodes
    assert problems_of({"definition": workflow.definition}) == []


def test_a_list_that_n8n_gives_whole_is_paged() -> None:
    found = _actions("gitlab", {"resource": "repository", "operation": "getIssues", "returnAll": True})
    assert found[0]["config"]["paging"] == {"by": "header", "items": "body"}
    assert found[0]["config"]["query"] == {"per_page": "100"}


def test_what_a_row_takes_no_notice_of_is_noted() -> None:
    notes = _notes(
        "shopify", {"resource": "product", "operation": "get", "productId": "7", "additionalFields": {"fields": "id"}}
    )
    assert "not taken over: additionalFields.fields" in notes


def test_what_a_row_leaves_out_of_the_members_of_a_list_is_noted() -> None:
    rows = [{"name": "title", "text": "Hi", "fontSize": 7}]
    notes = _notes("bannerbear", {"templateId": "t", "modificationsUi": {"modificationsValues": rows}})
    assert "not taken over: modificationsUi.modificationsValues.fontSize" in notes


def test_of_parameters_that_stand_for_each_other_the_others_are_noted() -> None:
    lines = {"Line": [{"Amount": 7}], "additionalFields": {"line": [{"Amount": 8}]}}
    notes = _notes("quickbooks", {"resource": "invoice", "operation": "create", **lines})
    assert "not taken over: additionalFields.line" in notes


def test_calls_before_and_after_it_stand_around_the_call() -> None:
    asked = {"resource": "extraction", "operation": "query", "sessionMode": "new", "url": "https://a.example"}
    found = _actions("airtop", asked)
    assert [step["config"]["method"] for step in found] == ["POST", "POST", "POST", "DELETE"]
    assert found[1]["config"]["url"].endswith(f"/sessions/{{{{ steps.{found[0]['id']}.body.data.id }}}}/windows")
