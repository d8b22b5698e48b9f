"""A form as a browser meets it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import time_machine
from flask import Flask
from werkzeug.test import TestResponse

HTML = {"Accept": "text/html"}


class FormPage:
    """A visitor's view of a form, who takes their time to fill it in."""

    def __init__(self, app: Flask, path: str) -> None:
        self.client = app.test_client()
        self.path = path

    def get(self) -> TestResponse:
        return self.client.get(self.path, headers=HTML)

    def stamp(self, seconds: float = 30) -> str:
        """The one of a page that was opened so many seconds ago."""
        with time_machine.travel(datetime.now(UTC) - timedelta(seconds=seconds), tick=True):
            return stamp_on(self.get())

    def send(self, opened: str | None = None, website: str = "", **fields: Any) -> TestResponse:
        data = {f"field.{name}": value for name, value in fields.items()}
        stamp = self.stamp() if opened is None else opened
        return self.client.post(self.path, data={**data, "opened": stamp, "website": website}, headers=HTML)


def stamp_on(page: TestResponse) -> str:
    found = re.search(r'name="opened" value="([^"]+)"', page.text)
    assert found, page.text
    return found[1]
