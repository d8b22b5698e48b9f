"""The templates: every one of them is a workflow that can be saved, and does what it says."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest
from pydantic import ValidationError
from sqlalchemy.orm import Session

from flowforge.ascode.testing.command import run_tests
from flowforge.connectors.catalog import load_catalog
from flowforge.errors import Invalid, NotFound
from flowforge.onboarding.gallery import FOLDER, first_templates, matching_templates, template, templates
from flowforge.onboarding.template import Template, TemplateField
from flowforge.onboarding.template_tables import make_missing_tables
from flowforge.triggers.registrations import Triggers
from flowforge.wiring import Backends
from flowforge.workflows.drafts import Drafts
from flowforge.workflows.workflows import Workflows

NAMES = [*templates()]


def given(field: TemplateField, example: str) -> str:
    """What a person may enter."""
    return field.default or {"url": "https://hooks.example.test/x", "mail": "ada@example.test"}.get(field.kind, example)


@pytest.mark.parametrize("name", NAMES)
def test_a_template_lacks_nothing_but_its_connections(
    session: Session, backends: Backends, user_id: UUID, name: str
) -> None:
    chosen = template(name)
    entered = {field.name: given(field, chosen.example(field)) for field in chosen.fields}
    make_missing_tables(session, user_id, chosen)
    make_missing_tables(session, user_id, chosen)  # they are there now
    drafts = Drafts(Workflows(load_catalog(), backends.vault, Triggers(backends.settings, backends.vault)))
    made = drafts.begin(session, user_id, chosen.title, chosen.filled(entered))
    problems = {problem.pointer for problem in drafts.get(session, user_id, made.id).problems}
    assert problems == {place for field in chosen.connections for place in field.at}


@pytest.mark.parametrize("name", NAMES)
def test_a_template_does_what_it_says(name: str) -> None:
    said: list[str] = []
    assert run_tests([FOLDER / f"{name}.test.yaml"], said.append) == 0, said


@pytest.mark.parametrize("name", NAMES)
def test_what_is_entered_stands_in_its_places_and_nowhere_is_an_example_left(name: str) -> None:
    chosen = template(name)
    entered = {field.name: f"https://own.example.test/@{number}" for number, field in enumerate(chosen.fields)}
    filled = str(chosen.filled(entered))
    for value in entered.values():
        assert value in filled
    for field in chosen.fields:
        if field.kind in ("url", "mail") or field.secret:
            assert chosen.example(field) not in filled


def test_one_of_the_first_needs_nothing() -> None:
    assert [one.name for one in first_templates() if not one.fields] == ["greet"]


def test_templates_are_found_by_their_words() -> None:
    assert "classify-mail" in [one.name for one in matching_templates("LLM slack")]
    assert matching_templates("llm unicorn") == []
    assert len(matching_templates("")) == len(NAMES)


@pytest.mark.parametrize("value", ["", "  ", None, 5, "x" * 2_001], ids=["empty", "blank", "none", "number", "long"])
def test_what_is_missing_is_named(value: object) -> None:
    with pytest.raises(Invalid) as error:
        template("tell-slack").filled({"webhookUrl": value})
    assert [problem.pointer for problem in error.value.problems] == ["/webhookUrl"]


@pytest.mark.parametrize("value", [[], {}, 0, False])
def test_a_default_stands_in_for_nothing_but_what_was_left_empty(value: object) -> None:
    chosen = template("sql-report")
    with pytest.raises(Invalid) as error:
        chosen.filled({"database": "d", "slack": "s", "channel": value})
    assert [problem.pointer for problem in error.value.problems] == ["/channel"]
    assert "#sales" in str(chosen.filled({"database": "d", "slack": "s", "channel": ""}))


def test_there_is_no_other() -> None:
    with pytest.raises(NotFound):
        template("nothing")


@pytest.mark.parametrize("at", ["/actions/1/config/url", "/trigger/config/url", "/actions/0/name/first"])
def test_a_field_that_points_to_nothing_is_a_mistake(at: str) -> None:
    field = {"name": "url", "label": "Address", "at": [at]}
    about = {"title": "T", "text": "T", "group": "Data", "icon": "step", "fields": [field]}
    with pytest.raises(ValidationError, match="there is nothing at"):
        Template.read("t", {"template": about, "name": "T", "actions": [{"type": "TRANSFORM", "name": "n"}]})


def test_every_file_is_a_template_with_its_test() -> None:
    files = {path.name for path in Path(FOLDER).iterdir()}
    assert files == {f"{name}{ending}" for name in NAMES for ending in (".yaml", ".test.yaml")}
