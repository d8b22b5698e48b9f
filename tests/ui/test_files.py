"""The page of an execution lists the files that came in and that its steps gave, and leads to them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html import unescape
from io import BytesIO
from typing import Any
from uuid import UUID

from sqlalchemy import select

from flowforge.db.tables import User
from flowforge.file_values import shown_id
from flowforge.ids import uuid7
from flowforge.wiring import Backends
from tests.engine.pipeline import working
from tests.ui.conftest import Browser
from tests.ui.test_execution_page import run
from tests.ui.test_pages import created
from tests.waiting import eventually
from webapp.ui.file_previews import MOST_BYTES, preview_of

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


def test_a_workflow_is_run_with_files(ada: Browser, signed_up: Callable[[str], Browser], backends: Backends) -> None:
    path = created(ada, {**WORKFLOW, "trigger": {"type": "manual"}})
    large, small = b"%PDF-1.7\n" * 700_000, b"%PDF-1.7\n"
    files = [(BytesIO(large), "large.pdf"), (BytesIO(small), "small.pdf")]
    started = ada.send(f"{path}/run", path, payload="{}", file_field="f", files=files)
    assert started.status_code == 303, started.text
    with working(backends):
        page = eventually(lambda: over(ada.get(started.location).text))
    [address] = set(re.findall(r'href="(/files/[^"]+)"', page))
    assert ada.get(address).data == large
    [inline] = {unescape(link) for link in re.findall(r'href="(/executions/[^"]+/files/[^"/]+)"', page)}
    shown = ada.get(inline)
    assert (shown.data, shown.content_type) == (small, "application/pdf")
    assert signed_up("bob").get(inline).status_code == 404
    assert ada.get(inline.replace("small", "other")).status_code == 404


def over(page: str) -> str | None:
    """The page of an execution that has ended."""
    return page if 'data-over="true"' in page else None


SCRIPT = b"<script>alert(1)</script>"


def made(identifier: str) -> dict[str, Any]:
    file = f"{{{{ trigger.text | to_file('{identifier}.html', 'text/html') }}}}"
    return {"id": identifier, "type": "TRANSFORM", "config": {"output": {"f": file}}}


def test_small_files_of_steps_are_listed_too(ada: Browser, run: Callable[..., str]) -> None:
    branches = [{"name": name, "actions": [made(name)]} for name in ("left", "right")]
    both = {"id": "both", "type": "PARALLEL", "branches": branches}
    page = ada.get(run({"name": "Made", "actions": [made("own"), both]}, json.dumps({"text": SCRIPT.decode()}))).text
    found = {unescape(link) for link in re.findall(r'href="(/executions/[^"]+/files/[^"/]+)"', page)}
    addresses = {re.sub(".*name=([a-z]+).*", r"\1", address): address for address in found}
    assert addresses.keys() == {"own", "left", "right"}
    for name, address in addresses.items():
        shown = ada.get(address)
        assert (shown.data, shown.content_type) == (SCRIPT, "application/octet-stream")
        assert shown.headers["Content-Disposition"] == f"attachment; filename={name}.html"


def test_texts_and_tables_have_a_preview(
    ada: Browser, signed_up: Callable[[str], Browser], run: Callable[..., str], backends: Backends
) -> None:
    content = BytesIO(b"name,total\nAda,9\n")
    file = backends.files.keep(content, "orders.csv", "text/csv", owner=account(backends, "ada"), holder=uuid7())
    preview = f"/files/{shown_id(file.id)}/preview"
    assert f'data-source="{preview}"' in ada.get(run(WORKFLOW, json.dumps({"f": file.as_json()}))).text
    shown = ada.get(preview).text
    assert '<th scope="col">total</th>' in shown
    assert "Ada" in shown
    assert signed_up("bob").get(preview).status_code == 404


def test_a_preview_is_the_beginning_of_a_file() -> None:
    assert preview_of(b"x" * (MOST_BYTES + 1), "text/plain").is_cut
    assert preview_of(b'{"a": 1}', "application/json").value == {"a": 1}
    assert preview_of(b"{", "application/json").text == "{"
    assert preview_of(b"\xff\xfe\x00", "text/csv").table is not None
