"""What is told of configs by how they are written, and of which of them it is remembered."""

from __future__ import annotations

from typing import Any

import pytest

from flowforge.connectors.catalog import load_catalog
from flowforge.engine.config_form import ConfigForms
from flowforge.secrets import Vault, new_key

TYPE = "HTTP_REQUEST"


@pytest.fixture
def forms() -> ConfigForms:
    return ConfigForms(load_catalog())


def test_the_fields_with_expressions_and_what_these_name_are_told(forms: ConfigForms) -> None:
    form = forms.of(TYPE, {"url": "https://a.test/", "body": [{"n": "{{ vars.n }}"}], "query": {"k": "{{ steps.a }}"}})
    assert (form.computed, form.names_variables, form.names_secrets) == ({"body", "query"}, True, False)
    assert forms.of(TYPE, {"url": "{{ secrets.host }}"}).names_secrets


@pytest.mark.parametrize(
    "config",
    [
        {"url": "https://a.test/", "bearerToken": Vault([new_key()]).seal("abcd")},
        {"url": "https://a.test/", "bearerToken": "abcd"},
        {"url": "https://a.test/?api_key=abcd"},
        {"url": "https://ada:abcd@a.test/"},
        {"url": "https://a.test/", "headers": {"Authorization": "abcd"}},
        {"url": "https://a.test/", "secretHeaders": {"X-A": "abcd"}},
    ],
)
def test_a_config_that_holds_secrets_is_not_remembered(forms: ConfigForms, config: dict[str, Any]) -> None:
    assert forms.of(TYPE, config).holds_secrets
    assert forms.of(TYPE, config) is not forms.of(TYPE, config)


def test_another_one_is(forms: ConfigForms) -> None:
    plain = {"url": "https://a.test/?page=1", "headers": {"X-A": "b"}, "bearerToken": ""}
    assert not forms.of(TYPE, plain).holds_secrets
    assert forms.of(TYPE, plain) is forms.of(TYPE, dict(plain))
    assert forms.of(TYPE, plain) is not forms.of("TRANSFORM", plain)
