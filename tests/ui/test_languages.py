"""Pages speak the reader's language; the API speaks English."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest
from babel.messages import Catalog, Message
from flask import Flask, render_template_string

from flowforge.languages import ENGLISH, languages
from scripts.translations import declared, messages, untranslated
from tests.ui.conftest import Browser
from tests.ui.test_translated_pages import drafted
from webapp.translation import catalogues, language, scripts
from webapp.translation.texts import gettext, lazy, ngettext, translated
from webapp.ui import zones

COMPLETE = ("de",)
"""Languages in which no text may be missing."""
GERMAN = {"Accept-Language": "de-AT, en;q=0.5"}


def page(browser: Browser, path: str, **headers: str) -> str:
    """With single spaces."""
    return " ".join(browser.client.get(path, headers={"Accept": "text/html", **headers}).text.split())


class TestTheLanguageOfAPage:
    def test_is_the_one_that_the_browser_asks_for(self, ada: Browser) -> None:
        german = page(ada, "/workflows", **GERMAN)
        assert '<html lang="de" dir="ltr" ' in german
        assert "Ausführungen" in german

    @pytest.mark.parametrize("path", ["/register", "/forms/nothing", "/nothing", "/api/v1/nothing"])
    def test_is_said_to_caches_to_depend_on_cookies(self, visitor: Browser, path: str) -> None:
        answer = visitor.client.get(path, headers={"Accept": "text/html"})
        assert ("Cookie" in answer.vary) == (answer.mimetype == "text/html")

    @pytest.mark.parametrize("wanted", ["", "en-GB", "tlh, *;q=0.1", "de;q=nonsense"])
    def test_is_english_where_it_asks_for_no_other_that_there_is(self, visitor: Browser, wanted: str) -> None:
        answer = page(visitor, "/register", **{"Accept-Language": wanted})
        assert '<html lang="en" dir="ltr">' in answer

    def test_can_be_chosen_for_a_browser(self, visitor: Browser) -> None:
        visitor.client.set_cookie(language.COOKIE, "de")
        assert '<html lang="de"' in page(visitor, "/register", **{"Accept-Language": "en"})
        visitor.client.set_cookie(language.COOKIE, "../../etc")
        assert '<html lang="en"' in page(visitor, "/register")

    def test_is_the_accounts_where_it_has_chosen_one_here_and_after_signing_out(self, ada: Browser) -> None:
        assert ada.send("/settings", "/settings", language="de").status_code == 303
        assert "Gespeichert." in ada.get("/settings").text
        assert '<option value="de" lang="de" selected>Deutsch</option>' in ada.get("/settings").text
        ada.send("/sign-out", "/settings")
        assert '<html lang="de"' in ada.get("/sign-in").text

    def test_is_again_the_browsers_where_none_is_chosen_any_more(self, ada: Browser) -> None:
        ada.send("/settings", "/settings", language="de")
        ada.send("/settings", "/settings", language="")
        assert '<html lang="en"' in ada.get("/settings").text


def test_a_problem_of_a_field_is_said_in_the_readers_language(ada: Browser) -> None:
    step = {"type": "HTTP_REQUEST", "config": {}}
    workflow = drafted(ada, {"name": "Orders", "trigger": {"type": "manual"}, "actions": [step]})
    assert "URL ist erforderlich" in page(ada, f"{workflow}/build?step=/actions/0", **GERMAN)


class TestTheTimesOfAPage:
    """Are those of the account's zone; where it has chosen none, of the browser's."""

    def test_are_of_the_browsers_zone(self, ada: Browser) -> None:
        ada.send("/templates/greet", "/templates")
        ada.client.set_cookie(zones.COOKIE, "Asia/Kolkata")
        assert 'data-zone="Asia/Kolkata"' in ada.get("/").text

    def test_are_of_the_zone_that_the_account_has_chosen(self, ada: Browser) -> None:
        ada.send("/templates/greet", "/templates")
        ada.client.set_cookie(zones.COOKIE, "Asia/Kolkata")
        ada.send("/settings", "/settings", email="ada@example.test", time_zone="UTC")
        assert 'data-zone="UTC"' in ada.get("/").text
        assert '<option value="UTC" selected>' in ada.get("/settings").text

    @pytest.mark.parametrize("sent", ["", "Nowhere/Land", "../../etc/passwd", "Asia%2FKolkata"])
    def test_are_utc_where_a_browser_sends_no_zone(self, ada: Browser, sent: str) -> None:
        ada.send("/templates/greet", "/templates")
        ada.client.set_cookie(zones.COOKIE, sent)
        assert 'data-zone="UTC"' in ada.get("/").text


@pytest.mark.parametrize("texts_of", [messages, declared])
@pytest.mark.parametrize("tag", COMPLETE)
def test_a_complete_language_translates_every_text(tag: str, texts_of: Callable[[], Catalog]) -> None:
    """`make translations` puts new texts into the catalogues, where they wait for theirs."""
    assert untranslated(tag, texts_of()) == []


@pytest.mark.parametrize("domain", ["messages", "declared"])
@pytest.mark.parametrize("tag", [tag for tag in languages() if tag != ENGLISH])
def test_a_translation_has_the_placeholders_of_its_original(tag: str, domain: catalogues.Domain) -> None:
    catalog = catalogues.read(tag, domain)
    assert catalog
    assert [message.id for message in catalog if message.id and not _has_same_placeholders(message)] == []


def _has_same_placeholders(message: Message) -> bool:
    originals = [message.id] if isinstance(message.id, str) else message.id
    translations = [message.string] if isinstance(message.string, str) else message.string
    wanted = _placeholders(originals[-1])
    return all(not text or _placeholders(text) - {"count"} == wanted - {"count"} for text in translations)


def _placeholders(text: str) -> set[str]:
    return {*re.findall(r"%\((\w+)\)s", text)}


def test_the_api_answers_in_english(ada: Browser) -> None:
    answer = ada.client.get("/api/v1/workflows/nothing", headers=GERMAN)
    assert answer.get_json()["message"] == "the id in the path is not a UUID"


@pytest.fixture
def speaking(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, object]], None]:
    """Puts these texts into the place of the German catalogues."""

    def speak(texts: dict[str, object]) -> None:
        catalog = Catalog("de")
        for text, said in texts.items():
            catalog.add((text, f"{text}s") if isinstance(said, tuple) else text, said, [("static/some.js", 1)])
        for reader in (catalogues, scripts):
            monkeypatch.setattr(reader, "read", lambda tag, _: catalog if tag == "de" else None)
        for kept in (catalogues.translations, scripts._texts):
            kept.cache_clear()

    return speak


@pytest.fixture(autouse=True)
def _forget() -> object:
    yield
    catalogues.translations.cache_clear()
    scripts._texts.cache_clear()


class TestTexts:
    def test_hold_values_and_have_a_form_for_each_number(self, app: Flask, speaking: Callable[..., None]) -> None:
        speaking({"step": ("Schritt", "%(count)s Schritte"), "Hello %(name)s": "Hallo %(name)s"})
        with app.test_request_context(headers=GERMAN):
            assert gettext("Hello %(name)s", name="Ada") == "Hallo Ada"
            assert [ngettext("step", "steps", n) for n in (1, 2)] == ["Schritt", "2 Schritte"]

    def test_of_a_module_are_put_into_the_language_when_they_are_shown(
        self, app: Flask, speaking: Callable[..., None]
    ) -> None:
        speaking({"30 days": "30 Tage <"})
        label = lazy("30 days")
        assert label == "30 days" == str(label)
        with app.test_request_context(headers=GERMAN):
            assert (str(label), f"{label}!") == ("30 Tage <", "30 Tage <!")
            assert render_template_string("{{ label }}", label=label) == "30 Tage &lt;"

    def test_that_are_not_in_the_catalogue_stay_english(self, app: Flask) -> None:
        with app.test_request_context(headers=GERMAN):
            assert gettext("No such text") == translated("No such text") == "No such text"

    def test_outside_of_requests_are_english(self) -> None:
        assert gettext("Workflows") == "Workflows"


class TestScripts:
    def test_find_their_texts_in_the_page(self, visitor: Browser, speaking: Callable[..., None]) -> None:
        speaking({"Copy": "</script>", "step": ("Schritt", "%(count)s Schritte")})
        found = re.findall(
            r'<script type="application/json" id="texts">(.*?)</script>', page(visitor, "/register", **GERMAN)
        )
        assert json.loads(found[0]) == {
            "Copy": "</script>",
            "step": {"one": "Schritt", "other": "%(count)s Schritte"},
        }

    def test_need_none_in_english(self, visitor: Browser) -> None:
        assert 'id="texts"' not in page(visitor, "/register")
