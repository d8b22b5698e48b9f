"""The page of an execution lists the files that came in and that its steps gave, and leads to them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from io import BytesIO
from uuid import UUID

from sqlalchemy import select

from flowforge.db.tables import User
from flowforge.file_values import shown_id
from flowforge.ids import uuid7
from flowforge.wiring import Backends
from tests.ui.conftest import Browser
from tests.ui.test_execution_page import run

__all__ = ["run"]

PNG = bytes.fromhex("89504e470d0a1a0a")
WORKFLOW = {
    "name": "Files",
    "actions": [
        {"id": "out", "type": "TRANSFORM", "config": {"output": {"both": ["{{ trigger.f }}", "{{ trigger.f }}"]}}}
    ],
}


def account(backends: Backends, name: str) -> UUID:
    with backends.engine.connect() as connection:
        id_: UUID = connection.execute(select(User.id).where(User.username == name)).scalar_one()
    return id_


def test_files_are_listed_where_they_are(
    ada: Browser, signed_up: Callable[[str], Browser], run: Callable[..., str], backends: Backends
) -> None:
    content = BytesIO(PNG)
    name = 'a "b" <c>.png'
    type_ = "image/PNG; name=a.png"  # as mails have it
    file = backends.files.keep(content, name, type_, owner=account(backends, "ada"), holder=uuid7())
    page = ada.get(run(WORKFLOW, json.dumps({"f": file.as_json()}))).text
    address = f"/files/{shown_id(file.id)}"
    assert len(re.findall(f'<img src="{address}"', page)) == 2  # of the payload, and of the step; each once
    assert "a &#34;b&#34; &lt;c&gt;.png</a>" in page
    shown = ada.get(address)
    assert (shown.data, shown.content_type) == (PNG, "image/png")
    assert signed_up("bob").get(address).status_code == 404


def test_who_is_not_signed_in_sees_none(visitor: Browser) -> None:
    assert visitor.get(f"/files/{shown_id(uuid7())}").status_code == 303
