"""What the command palette finds."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from urllib.parse import quote
from uuid import uuid4

import pytest
from sqlalchemy import Engine, select

from flowforge.db.tables import ExecutionRow
from flowforge.wiring import Backends
from tests.statements import counting_statements
from tests.ui.conftest import Browser
from tests.ui.test_pages import GREETING, created, finished

MOST_STATEMENTS = 4


def found(browser: Browser, words: str = "") -> dict[str, str]:
    """Titles, each with its address."""
    answer = browser.get(f"/commands?q={quote(words)}")
    assert answer.status_code == 200
    pattern = r'data-(?:href|action)="([^"]*)".*?<strong[^>]*>(.*?)</strong>'
    return {unescape(title): unescape(address) for address, title in re.findall(pattern, answer.text, re.DOTALL)}


def test_every_page_of_the_navigation_is_found(ada: Browser) -> None:
    commands = set(found(ada).values())
    navigation = re.search(r'<nav aria-label="Main">.*?</nav>', ada.get("/").text, re.DOTALL)
    assert navigation
    pages = {address for address in re.findall(r'<a href="([^"]+)"', navigation[0]) if not address.startswith("/help")}
    assert len(pages) >= 8
    assert pages <= commands


def test_every_address_that_it_names_is_there(ada: Browser) -> None:
    addresses = re.findall(r'data-href="([^"]+)"', ada.get("/commands").text)
    answers = {address: ada.get(address).status_code for address in addresses if not address.startswith("/help")}
    assert set(answers.values()) <= {200, 303}, answers  # Administration leads on to its first tab


@pytest.mark.parametrize(
    ("words", "title"),
    [
        ("runs", "Executions"),
        ("credentials", "Connections"),
        ("dead letters", "Failed messages"),
        ("api keys", "Access tokens"),
        ("CREATE workflow", "New workflow"),
    ],
)
def test_it_is_found_by_what_people_call_it(ada: Browser, words: str, title: str) -> None:
    assert title in found(ada, words)


def test_a_workflow_is_found_by_words_of_its_name_and_what_is_wanted_of_it(ada: Browser) -> None:
    path = created(ada, {**GREETING, "name": "Remind 100% of debtors"})
    assert found(ada, "debtors remind")["Remind 100% of debtors"] == path
    assert found(ada, "100%")["Remind 100% of debtors"] == path
    assert found(ada, "edit debtors")["Edit Remind 100% of debtors"] == f"{path}/build"
    assert found(ada, "run debtors")["Run Remind 100% of debtors"].startswith(path)
    assert "Remind 100% of debtors" not in found(ada, "1%0")


def test_an_execution_is_found_by_workflow_state_and_id(ada: Browser, backends: Backends, engine: Engine) -> None:
    path = created(ada)
    ada.send(f"{path}/run", path, payload="{}")
    finished(backends)
    with engine.connect() as connection:
        address = f"/executions/{connection.execute(select(ExecutionRow.id)).scalar_one()}"
    for words in ("greet completed", address.rpartition("/")[2], address[-8:]):
        assert address in found(ada, words).values(), words
    assert address not in found(ada, "greet failed").values()


def test_a_stranger_finds_nothing_of_it(
    ada: Browser, signed_up: Callable[[str], Browser], backends: Backends, engine: Engine
) -> None:
    path = created(ada)
    ada.send(f"{path}/run", path, payload="{}")
    finished(backends)
    with engine.connect() as connection:
        id_ = str(connection.execute(select(ExecutionRow.id)).scalar_one())
    bob = signed_up("bob")
    for words in ("", "greet", id_):
        assert not {address for address in found(bob, words).values() if address in {path, f"/executions/{id_}"}}


def test_the_help_is_searched_for_anything(ada: Browser) -> None:
    assert found(ada, "cron & zones")["Search the help"] == "/help/?q=cron+%26+zones"


def test_its_cost_is_bounded_whatever_is_typed(ada: Browser, engine: Engine) -> None:
    for number in range(12):
        created(ada, {**GREETING, "name": f"Greeting {number}"})
    for words in ("", "greeting", "x" * 5_000, "a " * 500, str(uuid4())):
        with counting_statements(engine) as statements:
            titles = found(ada, words)
        assert len(statements) <= MOST_STATEMENTS, statements
        assert sum(title.startswith("Greeting") for title in titles) <= 6


def test_the_theme_is_switched_on_the_page_that_somebody_is_on(ada: Browser) -> None:
    address = found(ada, "switch dark")["Dark theme"]
    answer = ada.send(address, "/executions", back="/executions?status=FAILED")
    assert (answer.status_code, answer.location) == (303, "/executions?status=FAILED")
    assert 'data-theme="dark"' in ada.get("/").text
    assert ada.send("/settings/appearance/neon", "/").status_code == 400


def test_administration_is_found_by_administrators_alone(ada: Browser, signed_up: Callable[[str], Browser]) -> None:
    assert "Administration" in found(ada, "queues")
    assert "Administration" not in found(signed_up("bob"), "queues")


def test_nobody_who_is_not_signed_in_is_answered(visitor: Browser) -> None:
    assert visitor.get("/commands?q=a").status_code == 303
