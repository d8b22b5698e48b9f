"""The page of variables."""

from __future__ import annotations

import pytest

from tests.ui.conftest import Browser


@pytest.mark.parametrize(
    ("text", "shown"), [("https://shop.test", "https://shop.test"), ("12.50", "12.5"), ('["a", 1]', "[&#34;a&#34;,1]")]
)
def test_a_variable_is_saved_and_shown(ada: Browser, text: str, shown: str) -> None:
    assert ada.send("/variables", "/variables", name="shop", value=text).status_code == 303
    page = ada.get("/variables").text
    assert shown in page
    assert ada.send("/variables/shop/delete", "/variables").status_code == 303
    assert shown not in ada.get("/variables").text.replace("“shop” deleted", "")


def test_what_is_wrong_stands_beside_its_field(ada: Browser) -> None:
    refused = ada.send("/variables", "/variables", name="1st", value="x")
    assert refused.status_code == 400
    assert "Name must be letters, digits and _" in refused.text
    assert ada.send("/variables", "/variables", name="shop", value=" ").status_code == 400


def test_the_api_lists_them(ada: Browser) -> None:
    ada.send("/variables", "/variables", name="limit", value="100")
    [listed] = ada.get("/api/v1/variables").json
    assert (listed["name"], listed["value"]) == ("limit", 100)
