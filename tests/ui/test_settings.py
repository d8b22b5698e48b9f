"""The settings, as their owner meets them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.ui.conftest import PASSWORD, Browser


def second_browser(app: Flask) -> Browser:
    browser = Browser(app.test_client())
    assert browser.send("/sign-in", "/sign-in", username="ada", password=PASSWORD).status_code == 303
    return browser


def make_token(browser: Browser, **more: Any) -> TestResponse:
    fields = {"name": "Deploy", "days": "30", "scopes": ["read", "run"], "password": PASSWORD} | more
    return browser.send("/settings/tokens", "/settings/tokens", **fields)


def test_times_are_shown_on_the_persons_own_clock(ada: Browser) -> None:
    answer = ada.send("/settings", "/settings", email="ada@example.test", time_zone="Asia/Kolkata")
    assert answer.status_code == 303
    page = ada.get("/settings").text
    assert "Saved." in page
    assert 'value="Asia/Kolkata" selected' in page
    ada.send("/templates/greet", "/templates")
    assert 'data-zone="Asia/Kolkata"' in ada.get("/").text


def test_a_wrong_email_is_refused_beside_its_field(ada: Browser) -> None:
    answer = ada.send("/settings", "/settings", email="nowhere", time_zone="")
    assert answer.status_code == 400
    assert 'value="nowhere"' in answer.text
    assert 'aria-invalid="true"' in answer.text


def test_another_email_takes_the_password(ada: Browser) -> None:
    wanted = {"email": "elsewhere@example.test", "time_zone": ""}
    for wrong in ({}, {"password": "wrong"}):
        refused = ada.send("/settings", "/settings", **wanted, **wrong)
        assert (refused.status_code, "Your password is wrong" in refused.text) == (400, True)
    assert ada.send("/settings", "/settings", **wanted, password=PASSWORD).status_code == 303
    assert 'value="elsewhere@example.test"' in ada.get("/settings").text


def test_a_token_for_30_days_ends_in_30_days(ada: Browser) -> None:
    assert "in 30 d" in make_token(ada).text


def test_a_token_is_shown_once_and_revoked(ada: Browser) -> None:
    answer = make_token(ada)
    shown = re.search(r"ffp_[\w-]{43}", answer.text)
    assert shown
    page = ada.get("/settings/tokens").text
    assert shown[0] not in page
    assert "Deploy" in page
    assert "read, run" in page
    revoke = re.search(r"/settings/tokens/[\w-]+/revoke", page)
    assert revoke
    assert ada.send(revoke[0], "/settings/tokens").status_code == 303
    assert "Deploy" not in ada.get("/settings/tokens").text


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"password": "wrong"}, "Your password is wrong"),
        ({"password": ""}, "Your password is wrong"),
        ({"scopes": []}, "Choose at least one"),
    ],
)
def test_a_token_needs_the_password_and_something_it_allows(ada: Browser, wrong: dict[str, Any], told: str) -> None:
    answer = make_token(ada, **wrong)
    assert answer.status_code == 400
    assert told in answer.text
    assert 'value="Deploy"' in answer.text
    assert "No tokens yet" in ada.get("/settings/tokens").text


def test_another_browser_is_seen_and_signed_out(ada: Browser, app: Flask) -> None:
    other = second_browser(app)
    page = ada.get("/settings/sessions").text
    assert page.count("This browser") == 1
    end = re.search(r"/settings/sessions/[0-9a-f-]+/end", page)
    assert end
    assert ada.send(end[0], "/settings/sessions").status_code == 303
    assert other.get("/").location.startswith("/sign-in")
    assert ada.get("/").status_code == 200


def test_all_others_are_signed_out_at_once(ada: Browser, app: Flask) -> None:
    others = [second_browser(app), second_browser(app)]
    ada.send("/settings/sessions/end-others", "/settings/sessions")
    assert [other.get("/").status_code for other in others] == [303, 303]
    assert ada.get("/").status_code == 200


def test_a_new_password_keeps_only_this_browser(ada: Browser, app: Flask) -> None:
    other = second_browser(app)
    wrong = ada.send("/settings/password", "/settings/password", current="wrong", new="a new long password")
    assert wrong.status_code == 400
    assert "is wrong" in wrong.text
    done = ada.send("/settings/password", "/settings/password", current=PASSWORD, new="a new long password")
    assert done.status_code == 303
    assert ada.get("/").status_code == 200
    assert other.get("/").location.startswith("/sign-in")


def test_a_copied_cookie_is_worthless_after_signing_out(ada: Browser, app: Flask) -> None:
    stolen = ada.client.get_cookie("flowforge_8080")
    assert stolen
    thief = Browser(app.test_client())
    thief.client.set_cookie("flowforge_8080", stolen.value)
    assert thief.get("/").status_code == 200
    ada.send("/sign-out", "/")
    assert thief.get("/").location.startswith("/sign-in")


def test_nobody_ends_somebody_elses_session_or_token(ada: Browser, signed_up: Callable[[str], Browser]) -> None:
    make_token(ada)
    revoke = re.search(r"/settings/tokens/[\w-]+/revoke", ada.get("/settings/tokens").text)
    eve = signed_up("eve")
    assert revoke
    assert eve.send(revoke[0], "/settings").status_code == 404


def test_access_tokens_end_with_the_sessions_unless_they_are_kept(ada: Browser) -> None:
    make_token(ada)
    path = "/settings/sessions"
    kept = ada.send(f"{path}/end-others", path, keep_tokens="true")
    assert kept.status_code == 303
    assert "Access tokens remain valid" in ada.get(path).text
    assert "Deploy" in ada.get("/settings/tokens").text
    ada.send(f"{path}/end-others", path)
    assert "Access tokens were revoked" in ada.get(path).text
    assert "Deploy" not in ada.get("/settings/tokens").text
