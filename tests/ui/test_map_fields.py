"""Maps in forms: what is written in an entry is what is sent."""

from __future__ import annotations

from typing import Any

import pytest
from werkzeug.datastructures import MultiDict

from flowforge.connectors.account import Account
from flowforge.connectors.catalog import load_catalog
from webapp.ui.fields import Field
from webapp.ui.forms import config_from_form
from webapp.ui.step_fields import form_of_step

FIELDS = {field.key: field for field in form_of_step(load_catalog(), "HTTP_REQUEST", {}, Account()).fields}


def saved_again(field: Field, entries: dict[str, Any]) -> Any:
    """The entries after they were drawn and saved without a change."""
    form: MultiDict[str, str] = MultiDict()
    for name, value in field.pairs({field.key: entries}):
        form.add(f"config.{field.key}.name", name)
        form.add(f"config.{field.key}.value", value)
    return config_from_form([field], form, {})[field.key]


@pytest.mark.parametrize("text", ["12", "1.10", "007", "true", "null", "1e5", '"quoted"', "{{ trigger.body.n }}"])
@pytest.mark.parametrize("key", ["headers", "query", "form"])
def test_a_text_stays_as_it_is_written(key: str, text: str) -> None:
    assert FIELDS[key].pairs({key: {"x": text}})[0] == ("x", text)
    assert saved_again(FIELDS[key], {"x": text}) == {"x": text}


@pytest.mark.parametrize("value", [{"brand": "acme"}, ["a", "b"]])
def test_objects_and_lists_stay_what_they_are_where_they_are_taken(value: Any) -> None:
    assert saved_again(FIELDS["query"], {"x": value}) == {"x": value}
