"""What travels to the browser is compressed, and nothing travels twice."""

from __future__ import annotations

import gzip
import re
from pathlib import Path
from urllib.parse import urljoin

import brotli
import pytest
from flask import Flask, url_for

from tests.ui.conftest import Browser
from tests.ui.test_pages import GREETING, created


@pytest.mark.parametrize(("encoding", "decompress"), [("br", brotli.decompress), ("gzip", gzip.decompress)])
def test_pages_are_compressed_where_the_browser_takes_it(ada: Browser, encoding: str, decompress: object) -> None:
    answer = ada.client.get("/templates", headers={"Accept": "text/html", "Accept-Encoding": encoding})
    assert answer.headers["Content-Encoding"] == encoding
    assert "Accept-Encoding" in answer.headers["Vary"]
    assert callable(decompress)
    whole = decompress(answer.data)
    assert b"Greet whoever calls" in whole
    assert len(answer.data) < len(whole) / 3


def test_a_browser_that_takes_none_gets_them_plain(ada: Browser) -> None:
    assert "Content-Encoding" not in ada.get("/templates").headers


def test_static_files_are_kept_for_good_under_the_address_of_what_they_hold(visitor: Browser) -> None:
    page = visitor.get("/register").text
    [address] = re.findall(r'href="(/static/v-[0-9a-f]{10}/app\.css)"', page)
    with visitor.get(address) as answer:
        assert "immutable" in answer.headers["Cache-Control"]
    for other in ("/static/app.css", "/static/v-0000000000/app.css"):
        with visitor.get(other) as answer:
            assert answer.status_code == 200
            assert "immutable" not in answer.headers.get("Cache-Control", "")
    assert visitor.get("/static/v-0000000000/nothing.css").status_code == 404


def test_everything_that_a_page_loads_is_kept(ada: Browser) -> None:
    for path in ("/", created(ada, GREETING) + "/build", "/executions"):
        addresses = re.findall(r'(?:src|href)="(/static/[^"#]+)', ada.get(path).text)
        assert addresses
        for address in addresses:
            with ada.get(address) as answer:
                assert "immutable" in answer.headers["Cache-Control"], address


def test_what_a_file_names_is_kept_as_well(ada: Browser) -> None:
    """Imports of scripts and addresses in style sheets are relative: they stay under the digest."""
    page = ada.get(created(ada, GREETING) + "/build").text
    names = {"builder/main.js": r'(?:import|from) "([^"]+)"', "app.css": r'url\("([^"]+)"\)'}
    for filename, pattern in names.items():
        [address] = re.findall(rf'"(/static/v-[0-9a-f]{{10}}/{filename})"', page)
        with ada.get(address) as answer:
            named = [urljoin(address, name) for name in re.findall(pattern, answer.text)]
        assert named
        for other in named:
            with ada.get(other) as answer:
                assert "immutable" in answer.headers["Cache-Control"], other


def test_a_page_names_all_that_its_scripts_import(ada: Browser) -> None:
    """A browser fetches them side by side: it finds none only in another."""
    page = ada.get(created(ada, GREETING) + "/build").text
    named = set(re.findall(r'(?:src|href)="(/static/[^"]+\.js)"', page))
    assert len(named) > 50
    for address in named:
        with ada.get(address) as answer:
            imported = re.findall(r'^(?:import|.* from) "([^"]+)"', answer.text, re.MULTILINE)
        assert {urljoin(address, name) for name in imported} <= named, address


def test_a_changed_file_gets_another_address(app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "inner.js"
    monkeypatch.setattr(app, "static_folder", str(tmp_path))

    def address() -> str:
        with app.test_request_context():
            return url_for("static", filename="main.js")

    script.write_text("one")
    first = address()
    script.write_text("two")
    assert address() != first
    script.write_text("one")
    assert address() == first


def test_no_two_pages_hold_the_same_token_and_all_of_them_are_good(ada: Browser) -> None:
    """What is always the same could be guessed from the sizes of compressed pages."""
    tokens = {re.findall(r'name="csrf_token" value="([^"]+)"', ada.get("/templates").text)[0] for _ in range(3)}
    assert len(tokens) == 3
    for token in tokens:
        assert ada.post("/templates/greet", csrf_token=token).status_code == 303


def test_a_token_of_another_session_is_refused(ada: Browser, app: Flask) -> None:
    other = Browser(app.test_client())
    [token, *_] = re.findall(r'name="csrf_token" value="([^"]+)"', other.get("/sign-in").text)
    assert ada.post("/templates/greet", csrf_token=token).status_code == 403
