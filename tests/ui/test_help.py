"""The help: pages of the documentation, under /help."""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256

import pytest

from tests.ui.conftest import Browser
from webapp.help_site import SITE
from webapp.ui.help_links import HELP


def test_a_page_may_run_its_own_scripts_and_no_others(visitor: Browser) -> None:
    page = visitor.get("/help/triggers/")
    policy = page.headers["Content-Security-Policy"]
    [scripts] = re.findall(r"script-src ([^;]+)", policy)
    digests = [
        b64encode(sha256(one.encode()).digest()).decode()
        for one in re.findall(r"(?s)<script>(.*?)</script>", page.text)
    ]
    assert digests
    assert scripts == " ".join(["localhost:*/help/assets/", *(f"'sha256-{digest}'" for digest in digests)])


def test_an_address_without_its_slash_leads_to_the_page(visitor: Browser) -> None:
    assert visitor.get("/help/triggers").location == "/help/triggers/"
    assert visitor.get("/help/").status_code == 200


def test_what_a_page_refers_to_is_served(visitor: Browser) -> None:
    page = visitor.get("/help/")
    [script] = re.findall(r'<script src="?([^">]+)', page.text)
    assert visitor.get(f"/help/{script.removeprefix('./')}").mimetype == "text/javascript"


@pytest.mark.parametrize(
    "path", ["no-such-page", "../README.md", "%2e%2e/README.md", "..%2fREADME.md", "assets/", "a%00b", "a" * 300]
)
def test_nothing_else_is_served(visitor: Browser, path: str) -> None:
    assert visitor.get(f"/help/{path}").status_code in (400, 404)


def test_each_page_opens_its_place_in_the_help(ada: Browser) -> None:
    for path, link in (("/executions", "/help/dashboard/#executions"), ("/variables", "/help/connections/#variables")):
        assert f'<a href="{link}"' in ada.get(path).text


def test_every_place_that_pages_open_is_there() -> None:
    for place in HELP.values():
        page, _, heading = place.partition("#")
        text = (SITE / page / "index.html").read_text()
        assert not heading or f'id="{heading}"' in text, place


def test_no_page_that_the_navigation_leads_to_opens_the_start_of_the_help(ada: Browser) -> None:
    for start in ("/", "/settings", "/administration/system"):
        for address in re.findall(
            r'<a href="(/[\w/-]*)"', "".join(re.findall(r"(?s)<nav.*?</nav>", ada.get(start).text))
        ):
            answer = ada.get(address)
            if answer.status_code == 200 and not address.startswith(("/help", "/api")):
                assert 'href="/help/"' not in answer.text, address
