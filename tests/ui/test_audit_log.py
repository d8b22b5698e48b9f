"""The page of the audit log."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from sqlalchemy import Engine, insert
from sqlalchemy.orm import Session

from flowforge.audit.actions import Action
from flowforge.db.tables import AuditEntryRow, User
from flowforge.ids import moment_of, uuid7
from tests.ui.conftest import Browser
from webapp.ui.audit_log import TITLES

LOG = "/audit-log"


@pytest.fixture
def bob(ada: Browser, signed_up: Callable[[str], Browser]) -> Browser:
    """A member; ada owns the instance."""
    return signed_up("bob")


def shown(page: str) -> list[str]:
    """What was done, the newest first."""
    return re.findall(r'<span class="main">([^<]+)</span>', page)


def test_every_action_has_a_title() -> None:
    assert set(TITLES) == set(Action)


def test_the_owner_sees_what_everybody_did(ada: Browser, bob: Browser) -> None:
    page = ada.get(LOG).text

    assert shown(page) == ["Signed in", "Account created"] * 2
    assert "All actions on this instance" in page
    assert re.search(r">\s*bob\s*<", page)
    assert "dashboard" in page


def test_others_see_what_concerns_their_account(ada: Browser, bob: Browser) -> None:
    for path in (LOG, f"{LOG}?account=ada"):
        page = bob.get(path).text
        assert shown(page) == ["Signed in", "Account created"]
        assert "ada" not in page.replace(f"{LOG}?account=ada", "")  # where the page is asked for again


def test_it_is_filtered_by_account_action_and_time(ada: Browser, bob: Browser) -> None:
    assert shown(ada.get(f"{LOG}?account=BOB").text) == ["Signed in", "Account created"]
    assert shown(ada.get(f"{LOG}?account=nobody").text) == []
    assert shown(ada.get(f"{LOG}?action=account.created").text) == ["Account created"] * 2
    assert shown(ada.get(f"{LOG}?until=2020-01-01T00:00").text) == []
    assert shown(ada.get(f"{LOG}?action=nonsense&since=nonsense&after=nonsense").text) != []


def test_its_pages_follow_each_other_with_the_filter(ada: Browser, engine: Engine) -> None:
    with Session(engine) as session:
        user_id = session.query(User.id).scalar()
        rows = [{"id": uuid7(), "action": Action.SECRET_SET, "account_id": user_id, "details": {}} for _ in range(60)]
        session.execute(insert(AuditEntryRow), [row | {"occurred_at": moment_of(row["id"])} for row in rows])
        session.commit()

    page = ada.get(f"{LOG}?action=secret.set").text
    older = re.search(r'rel="next"\s+href="([^"]+)"', page)

    assert older
    assert len(shown(page)) == 50
    assert len(shown(ada.get(older[1].replace("&amp;", "&")).text)) == 10


def test_what_is_found_can_be_downloaded(ada: Browser, bob: Browser) -> None:
    page = ada.get(f"{LOG}?account=bob&action=account.created").text
    links = [link.replace("&amp;", "&") for link in re.findall(r'href="(/api/v1/audit-log[^"]+)"', page)]

    assert [link.partition("?")[0][-6:] for link in links] == ["og.csv", ".jsonl"]
    assert [ada.get(link).text.count("account.created") for link in links] == [1, 1]
