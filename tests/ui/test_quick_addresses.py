"""Addresses and icons in templates are those that Flask would give."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from flask import Flask, url_for

from webapp.ui.quick_addresses import address_of, icon

ONE = UUID("01890000-0000-7000-8000-0000000000a1")


@pytest.mark.parametrize(
    ("endpoint", "values"),
    [
        ("ui.workflow", {"workflow_id": ONE}),
        ("ui.executions", {"workflow": ONE}),
        ("ui.executions", {"status": "FAILED"}),
        ("ui.builder_run", {"workflow_id": ONE, "execution_id": ONE}),
        ("ui.workflow", {"workflow_id": ONE, "_anchor": "run"}),
        ("static", {"filename": "app.css"}),
    ],
)
def test_addresses_are_those_of_flask_under_any_root(app: Flask, endpoint: str, values: dict[str, Any]) -> None:
    for root in ("", "/flowforge", ""):
        with app.test_request_context(environ_overrides={"SCRIPT_NAME": root}):
            assert address_of(endpoint, **values) == url_for(endpoint, **values)
            assert address_of(endpoint, **values).startswith(f"{root}/")


def test_an_icon_stands_in_the_file_of_icons_under_the_same_root(app: Flask) -> None:
    for root in ("", "/flowforge"):
        with app.test_request_context(environ_overrides={"SCRIPT_NAME": root}):
            assert f'href="{url_for("static", filename="icons.svg")}#play"' in icon("play")
