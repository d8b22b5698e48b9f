"""What a connector's declaration promises to those who show its steps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from flowforge.connectors import actions
from flowforge.connectors.catalog import load_catalog, read_catalog
from flowforge.connectors.sdk import Connector, ConnectorConfig, StepContext, connector, field, first_of, joined
from flowforge.icons import icon_names

ACTIONS = Path(actions.__path__[0])
MOST_LINES = 120


class Config(ConnectorConfig):
    note: str = field("", multiline=True, group="Options")


def declared(**parts: Any) -> Connector[Config]:
    @connector("NOTE", Config, title="Note", help="Takes a note.", **{"icon": "edit", **parts})
    def take(config: Config, context: StepContext) -> dict[str, Any]:
        return {}

    return take


def test_an_icon_that_the_sprite_does_not_have_is_an_error_that_names_those_it_has() -> None:
    with pytest.raises(ValueError, match=r"there is no icon 'chat'; there are: .*alert, .*, workflows"):
        declared(icon="chat")


@pytest.mark.parametrize("type_", load_catalog().types())
def test_every_connector_has_an_icon_of_its_own_choice_and_can_be_searched_for(type_: str) -> None:
    found = load_catalog().get(type_)
    assert found.icon in icon_names() - {"step", "alert"}
    assert found.keywords


def test_forms_learn_which_field_takes_several_lines_and_where_it_is_drawn() -> None:
    note = declared().config_schema()["properties"]["note"]
    assert (note["multiline"], note["group"]) == (True, "Options")


@pytest.mark.parametrize(
    ("summary", "value"),
    [
        (first_of("message", "channel"), "#orders"),
        (joined("method", "channel"), "POST #orders"),
        (first_of("other"), None),
        (joined("other"), None),
    ],
)
def test_a_summary_is_made_of_the_fields_that_are_filled_in(summary: Any, value: Any) -> None:
    assert declared(summary=summary).summary({"message": "", "channel": "#orders", "method": "POST"}) == value


def test_an_output_that_follows_from_the_config_is_computed_without_running_the_step() -> None:
    transform = load_catalog().get("TRANSFORM")
    assert transform.computes is not None
    assert transform.computes(transform.parse({"output": {"n": 1}})) == {"n": 1}
    assert load_catalog().get("HTTP_REQUEST").computes is None


def test_a_package_with_an_unknown_icon_is_left_out_and_says_which_icons_there_are() -> None:
    catalog = read_catalog(["tests.connectors.package_with_unknown_icon", "flowforge.connectors.actions.transform"])
    assert catalog.types() == ["TRANSFORM"]
    [reason] = catalog.disabled.values()
    assert reason.startswith("ValueError: there is no icon 'cart'; there are: administration, alert, ")


def test_a_file_of_a_services_actions_is_short() -> None:
    long = {path.name: lines for path in ACTIONS.rglob("*.py") if (lines := lines_of_service(path)) > MOST_LINES}
    assert long == {}, "the actions of a larger service stand in a package, each in a file"


def lines_of_service(path: Path) -> int:
    """0 for a file that declares no action of a service."""
    text = path.read_text()
    return len(text.splitlines()) if ".action(\n" in text or "Service(" in text else 0
