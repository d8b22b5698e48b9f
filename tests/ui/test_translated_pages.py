"""No text on a page is outside the catalogues: under a language that puts every known text into brackets, what stands
outside of them is data."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from gettext import NullTranslations
from typing import Any

import pytest
from babel.messages import Catalog
from flask import Flask
from flask.testing import FlaskClient

from flowforge.connectors.catalog import load_catalog
from flowforge.connectors.presets.all_presets import presets
from flowforge.wiring import Backends
from scripts.translations import declared, messages
from tests.browser.all_pages import addresses_of_pages
from tests.browser.full_account import ARABIC, EMOJI, LONG, ONE_WORD, furnish
from tests.people import PASSWORD, registered
from tests.ui.conftest import Browser
from tests.ui.shown_texts import has_words, shown_texts
from tests.ui.test_pages import created
from webapp.translation import texts
from webapp.ui.fields import fields_of

_OPEN, _CLOSE = "⟦", "⟧"
_DATA = frozenset(
    {
        *("English", "Deutsch", "FlowForge"),  # languages call themselves so
        *("text", "number", "boolean", "datetime", "json", "none", "starttls", "tls"),  # values of the API
        *("object", "string", "true", "false", "type", "http", "https", "version", "role", "owner", "dashboard"),
        *(
            "ada",
            "ada@example.test",
            "Greeting",
            "Orders",
            "tag",
            "key",
            "more",
            "deep",
            "item",
            "wrong",
        ),  # what somebody has made
        *("loop", "index", "count", "first", "last", "vars", "body", "name", "trigger"),  # names in expressions
        *("pets", "photos", "List", "Add", "Get", "Put", "PUT", "a", "pet", "photo", "petId"),  # an API
        *("Write", "greeting", "calledWith"),  # the steps of a template
        *("Ctrl", "Shift", "flowforge-orchestrator", "path", "HTTP_REQUEST"),
        *("login", "black", "white", "ffffff00", "INBOX", "rows", "Sheet1", "Form", "Send"),  # what holds where a field
        *("PATCH", "DELETE", "id"),  # is left empty
        *("page", "sort", "X-Event", "created"),  # examples
        *("resize", "width", "or", "height", "is", "needed"),  # a problem of its own, which is the API's
    }
)
_MADE = (LONG, LONG[:32] + "-tenhaup", ARABIC, "تاريخ_الفاتورة", EMOJI, ONE_WORD, "v" * 60, "long" * 15)
"""Names of things of the account."""
_NAMES = frozenset(preset.title for preset in presets().values())
_ERROR = re.compile(r"step 'step_7', config\.output\.wrong: .* \(in .*\)")
"""That of an execution."""
_TIME = re.compile(r"\w{3} \d+ \w{3}, \d\d:\d\d")
_NAME = re.compile(r"[\w-]+(\.[\w-]+)+\.?")
"""One of several parts: a reference, a topic, a host."""
_ID = re.compile(r"[0-9a-f-]{8,36}")
_ZONE = re.compile(r"[A-Z]\w+/[\w/ .+-]+")
"""A time zone; or the user agent of a browser."""
_IN_ENGLISH = {"/api/docs"}
_MORE_PAGES = (
    *("/connections/new?type=smtp", "/connections/new?preset=google", "/connections/new?preset=salesforce"),
    "/nowhere",
)
"""Beside those that the routes name."""
_BEFORE_SIGNING_IN = ("/sign-in", "/register", "/password-resets", "/password-resets/unknown", "/invitations/unknown")


def drafted(browser: Browser, definition: dict[str, Any]) -> str:
    """Path of a workflow with that draft."""
    workflow = created(browser)
    page = browser.get(f"{workflow}/build").text
    [revision] = re.findall(r'data-revision="(\d+)"', page)
    text = json.dumps(definition)
    answer = browser.send(f"{workflow}/build/text?as=json", f"{workflow}/build", revision=revision, text=text)
    assert answer.status_code == 303, answer.text
    return workflow


class Bracketed(NullTranslations):
    """Puts every text of a catalogue into brackets, and leaves others as they are."""

    def __init__(self, known: frozenset[str]) -> None:
        super().__init__()
        self._known = known

    def gettext(self, message: str) -> str:
        return _OPEN + message + _CLOSE if message in self._known else message

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return self.gettext(msgid1) if n == 1 or msgid1 not in self._known else _OPEN + msgid2 + _CLOSE


@cache
def _known(domain: str) -> frozenset[str]:
    found: Catalog = messages() if domain == "messages" else declared()
    return frozenset(one.id if isinstance(one.id, str) else one.id[0] for one in found if one.id)


@pytest.fixture
def bracketed(monkeypatch: pytest.MonkeyPatch) -> None:
    put_into_brackets(monkeypatch)


def put_into_brackets(monkeypatch: pytest.MonkeyPatch) -> None:
    known = {domain: _known(domain) for domain in ("messages", "declared")}  # read without brackets
    monkeypatch.setattr(texts, "translations", lambda _, domain: Bracketed(known[domain]))


def outside(html: str) -> Iterator[str]:
    """The texts that no catalogue has. A text with tags in it begins in one part of the page and ends in another."""
    depth = 0
    for text in shown_texts(html):
        rest = ""
        for character in text:
            depth += character == _OPEN
            rest += "" if depth else character
            depth -= character == _CLOSE
        rest = _TIME.sub("", _ERROR.sub("", rest))
        words = re.findall(r"[\w@.-]+", rest)
        if rest.strip() not in _NAMES and not _ZONE.fullmatch(rest.strip()) and not all(map(_is_data, words)):
            yield rest.strip()


def _is_data(word: str) -> bool:
    is_made = (len(word) > 3 or not word.isascii()) and any(word in name or word in name.lower() for name in _MADE)
    return word in _DATA or is_made or not has_words(word) or bool(_NAME.fullmatch(word) or _ID.fullmatch(word))


def test_the_pages_of_an_account(
    app: Flask, client: FlaskClient, backends: Backends, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = furnish(client, backends, registered(client, "ada"))
    ada = Browser(app.test_client())
    ada.send("/sign-in", "/sign-in", username="ada", password=PASSWORD)
    addresses = {*addresses_of_pages(app, account, ada.client), *_MORE_PAGES} - _IN_ENGLISH
    put_into_brackets(monkeypatch)
    found = {path: [*outside(ada.get(path).text)] for path in addresses}
    assert {path: rest for path, rest in found.items() if rest} == {}


@pytest.mark.parametrize("type_", ["webhook", "form", "email", "scheduler", "sheets_read"])
def test_the_form_of_a_trigger(ada: Browser, bracketed: None, type_: str) -> None:
    trigger = {"type": type_, "config": {}}
    workflow = drafted(ada, {"name": "Orders", "trigger": trigger, "actions": []})
    assert [*outside(ada.get(f"{workflow}/build?step=trigger&fresh=1").text)] == []


@pytest.mark.parametrize("type_", ["LIST", "IMAGE"])
def test_the_form_of_a_step_with_operations(ada: Browser, bracketed: None, type_: str) -> None:
    [operations] = [
        field for field in fields_of(load_catalog().get(type_).config_schema()) if field.key == "operations"
    ]
    each = operations.alternatives_of_record(0)
    assert each
    step = {"type": type_, "config": {"operations": [{"do": one.inner[0].choices[0]} for one in each.variants]}}
    workflow = drafted(ada, {"name": "Orders", "trigger": {"type": "manual"}, "actions": [step]})
    assert [*outside(ada.get(f"{workflow}/build?step=/actions/0&fresh=1").text)] == []


def test_the_pages_before_signing_in(visitor: Browser, ada: Browser, bracketed: None) -> None:
    found = {path: [*outside(visitor.get(path).text)] for path in _BEFORE_SIGNING_IN}
    assert {path: rest for path, rest in found.items() if rest} == {}


def test_an_unknown_text_is_found(app: Flask, bracketed: None) -> None:
    with app.test_request_context():
        page = app.jinja_env.from_string("<p title='Nowhere'>{{ _('Save') }} {{ _('No such text') }}</p>").render()
    assert [*outside(page)] == ["Nowhere", "No such text"]
