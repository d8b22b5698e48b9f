"""The page on which an account chooses its error workflow."""

from __future__ import annotations

from tests.ui.conftest import Browser
from tests.ui.test_pages import created


def test_it_is_chosen_on_its_page(ada: Browser) -> None:
    workflow_id = created(ada, {"name": "Alerts", "actions": []}).rpartition("/")[2]
    page = "/settings/error-workflow"
    assert ada.send(page, page, workflow=workflow_id).status_code == 303
    assert f'<option value="{workflow_id}" selected>' in ada.get(page).text
    assert ada.send(page, page, workflow="x").status_code == 400
