"""The looks that somebody has chosen."""

from __future__ import annotations

from tests.ui.conftest import Browser

PAGE = "/settings/appearance"


def test_pages_come_in_the_theme_and_density_that_somebody_has_chosen(ada: Browser) -> None:
    assert ' data-theme="system" data-density="comfortable">' in ada.get("/").text
    assert ada.send(PAGE, PAGE, theme="dark", density="compact").status_code == 303
    assert ' data-theme="dark" data-density="compact">' in ada.get("/workflows").text


def test_what_cannot_be_chosen_is_refused_by_the_name_of_its_field(ada: Browser) -> None:
    answer = ada.send(PAGE, PAGE, theme="pink", density="compact")
    assert answer.status_code == 400
    assert "must be one of system, light, dark" in answer.text
