"""The second factor, as its owner meets it: setup, signing in, recovery codes; and where a server requires it."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import time_machine
from flask import Flask
from pyotp.totp import TOTP
from werkzeug.test import TestResponse

from flowforge.accounts.guesses import FREE
from flowforge.wiring import Backends
from tests.people import PASSWORD
from tests.ui.conftest import Browser
from webapp import create_app

PAGE = "/settings/second-factor"
SIGN_IN, CODE = "/sign-in", "/sign-in/code"


@pytest.fixture(autouse=True)
def standing_clock() -> Iterator[None]:
    """No step of 30 seconds ends in the middle of a test."""
    with time_machine.travel(datetime.now(UTC), tick=False):
        yield


def code_of(app: TOTP, steps: int = 0) -> str:
    return app.generate_otp(app.timecode(datetime.now(UTC)) + steps)


def set_up(browser: Browser) -> tuple[TOTP, list[str]]:
    """The app, whose code of a minute ago is used, and the recovery codes."""
    assert browser.send(PAGE, PAGE).status_code == 303
    page = browser.get(PAGE).text
    assert 'src="data:image/svg+xml' in page
    app = TOTP(re.findall(r"<pre[^>]*>([A-Z2-7]{32})</pre>", page)[0])
    done = browser.send(f"{PAGE}/confirm", PAGE, code=code_of(app, -1), password=PASSWORD)
    assert done.status_code == 200, done.text
    return app, recovery_codes_on(done)


def recovery_codes_on(answer: TestResponse) -> list[str]:
    return re.findall(r"\b[a-z2-7]{4}-[a-z2-7]{4}-[a-z2-7]{4}-[a-z2-7]{4}\b", html.unescape(answer.text))


def give_password(browser: Browser, **more: str) -> TestResponse:
    return browser.send(SIGN_IN, SIGN_IN, username="ada", password=PASSWORD, **more)


def give_code(browser: Browser, code: str) -> TestResponse:
    return browser.send(CODE, CODE, code=code)


def test_signing_in_takes_a_code_beside_the_password(ada: Browser, visitor: Browser) -> None:
    app, _ = set_up(ada)
    asked = give_password(visitor)
    assert (asked.status_code, asked.location) == (303, CODE)
    assert visitor.get("/").location.startswith(SIGN_IN)
    wrong = give_code(visitor, "000000")
    assert wrong.status_code == 401
    assert "The code is wrong" in wrong.text
    assert visitor.get("/").location.startswith(SIGN_IN)
    assert give_code(visitor, code_of(app)).status_code == 303
    assert visitor.get("/").status_code == 200


def test_whoever_signs_in_goes_on_where_they_were_going(ada: Browser, visitor: Browser) -> None:
    app, _ = set_up(ada)
    asked = give_password(visitor, next="/workflows")
    assert 'name="next" value="/workflows"' in visitor.get(asked.location).text
    done = visitor.post(CODE, csrf_token=visitor.token(CODE), code=code_of(app), next="/workflows")
    assert done.location == "/workflows"


def test_recovery_codes_are_shown_once_and_stand_in_for_the_app(ada: Browser, visitor: Browser) -> None:
    _, codes = set_up(ada)
    assert len(codes) == 10
    assert recovery_codes_on(ada.get(PAGE)) == []
    give_password(visitor)
    assert give_code(visitor, codes[0]).status_code == 303
    renewed = recovery_codes_on(ada.send(f"{PAGE}/recovery-codes", PAGE, password=PASSWORD))
    assert len(renewed) == 10
    assert not set(renewed) & set(codes)


def test_without_a_password_before_it_a_code_is_not_asked_for(visitor: Browser) -> None:
    assert visitor.get(CODE).location == SIGN_IN


def test_the_password_does_not_wait_for_a_code_for_ever(ada: Browser, visitor: Browser) -> None:
    app, _ = set_up(ada)
    give_password(visitor)
    token = visitor.token(CODE)
    with time_machine.travel(datetime.now(UTC).timestamp() + 301, tick=False):
        late = visitor.post(CODE, csrf_token=token, code=code_of(app))
    assert late.location.startswith(SIGN_IN)
    assert visitor.get("/").location.startswith(SIGN_IN)


def test_guessing_codes_takes_longer_and_longer_with_the_password_in_between(ada: Browser, visitor: Browser) -> None:
    set_up(ada)
    codes = []
    for _ in range(FREE + 2):
        give_password(visitor)
        codes.append(give_code(visitor, "000000").status_code)
    assert codes == [401] * FREE + [429] * 2


def test_turning_it_on_or_off_takes_the_password(ada: Browser, visitor: Browser) -> None:
    ada.send(PAGE, PAGE)
    refused = ada.send(f"{PAGE}/confirm", PAGE, code="000000", password="wrong")
    assert (refused.status_code, "Your password is wrong" in refused.text) == (400, True)
    refused = ada.send(f"{PAGE}/confirm", PAGE, code="000000", password=PASSWORD)
    assert (refused.status_code, "Code is wrong" in refused.text) == (400, True)
    set_up_again = ada.get(PAGE).text
    app = TOTP(re.findall(r"<pre[^>]*>([A-Z2-7]{32})</pre>", set_up_again)[0])
    ada.send(f"{PAGE}/confirm", PAGE, code=code_of(app), password=PASSWORD)
    assert ada.send(f"{PAGE}/off", PAGE, password="wrong").status_code == 400
    assert give_password(visitor).location == CODE
    assert ada.send(f"{PAGE}/off", PAGE, password=PASSWORD).status_code == 303
    assert give_password(visitor).location == "/"


def test_the_api_takes_the_code_with_the_password(ada: Browser, app: Flask) -> None:
    authenticator, _ = set_up(ada)
    client = app.test_client(use_cookies=False)
    login = {"username": "ada", "password": PASSWORD}
    for code in ({}, {"code": "000000"}):
        refused = client.post("/auth/login", json=login | code)
        assert (refused.status_code, refused.json["details"][0]["pointer"]) == (401, "/code")
    wrong = client.post("/auth/login", json=login | {"password": "wrong", "code": code_of(authenticator)})
    assert (wrong.status_code, "details" in wrong.json) == (401, False)
    tokens = client.post("/auth/login", json=login | {"code": code_of(authenticator)})
    assert tokens.status_code == 200
    refreshed = client.post("/auth/refresh-token", json={"refreshToken": tokens.json["refresh_token"]})
    assert refreshed.status_code == 200


class TestWhereItIsRequired:
    @pytest.fixture
    def strict(self, backends: Backends) -> Iterator[Flask]:
        strict = Backends(backends.settings.model_copy(update={"second_factor_required": True}), "test")
        yield create_app(backends=strict)
        strict.close()

    @pytest.mark.usefixtures("ada")
    def test_nothing_else_is_open_before_it_is_set_up(self, strict: Flask) -> None:
        browser = Browser(strict.test_client())
        assert give_password(browser).status_code == 303
        for path in ("/", "/workflows", "/settings/tokens"):
            assert browser.get(path).location == PAGE
        assert browser.client.get("/api/v1/workflows").status_code == 401
        assert "requires two-factor authentication" in browser.get(PAGE).text
        set_up(browser)
        assert browser.get("/").status_code == 200
        assert browser.client.get("/api/v1/workflows").status_code == 200

    def test_the_api_signs_nobody_in_without_it(self, app: Flask, ada: Browser, strict: Flask) -> None:
        lax, client = app.test_client(use_cookies=False), strict.test_client(use_cookies=False)
        login = {"username": "ada", "password": PASSWORD}
        held = lax.post("/auth/login", json=login).json["refresh_token"]
        assert client.post("/auth/login", json=login).status_code == 403
        assert client.post("/auth/refresh-token", json={"refreshToken": held}).status_code == 401
        new = {"username": "eve", "email": "eve@example.test", "password": PASSWORD}
        assert client.post("/auth/register", json=new).status_code == 403
        authenticator, _ = set_up(ada)
        assert client.post("/auth/login", json=login | {"code": code_of(authenticator)}).status_code == 200
