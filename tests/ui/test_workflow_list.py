"""The list of workflows, and what is done to many of them at once."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from typing import Any

import pytest

from flowforge.wiring import Backends
from tests.statements import counting_statements
from tests.ui.conftest import Browser
from tests.ui.test_pages import GREETING, created

LIST = "/workflows"


def made(browser: Browser, *names: str) -> list[str]:
    """The ids of new workflows."""
    return [created(browser, {**GREETING, "name": name}).rpartition("/")[2] for name in names]


def names(browser: Browser, query: str = "") -> list[str]:
    return re.findall(r'<a class="main"[^>]*>([^<]*)</a>', browser.get(LIST + query).text)


def change(browser: Browser, action: str, ids: list[str], **more: Any) -> str:
    """Does it, and returns the notice of the next page."""
    assert browser.send("/workflows/bulk", LIST, action=action, id=ids, **more).status_code == 303
    return notice(browser)


def notice(browser: Browser) -> str:
    [text] = re.findall(r'(?s)class="toast"[^>]*>(.*?)</(?:p|form)>', browser.get(LIST).text)
    return text


def undo(browser: Browser, shown: str) -> None:
    [token] = re.findall(r'name="undo" value="([^"]+)"', shown)
    assert browser.send("/workflows/undo", LIST, undo=token).status_code == 303
    assert "Undone" in notice(browser)


def test_rows_are_counted_ordered_and_found(ada: Browser) -> None:
    assert made(ada, "b", "A", "c")
    page = ada.get(LIST).text
    assert '<span class="total">3</span>' in page
    assert names(ada) == ["c", "A", "b"]
    assert names(ada, "?sort=name") == ["A", "b", "c"]
    assert names(ada, "?sort=name&reversed=1") == ["c", "b", "A"]
    assert names(ada, "?sort=nonsense&q=b") == ["b"]
    assert 'aria-sort="ascending"' in ada.get(f"{LIST}?sort=name").text


@pytest.mark.parametrize(("action", "state", "other"), [("disable", "disabled", "enabled")])
def test_many_are_switched_and_that_is_undone(ada: Browser, action: str, state: str, other: str) -> None:
    ids = made(ada, "one", "two", "three")
    change(ada, "disable", ids[:1])
    shown = change(ada, action, ids)
    assert "2 workflows disabled." in shown
    assert names(ada, f"?state={other}") == []
    undo(ada, shown)
    assert names(ada, f"?state={other}") == ["three", "two"]
    assert names(ada, f"?state={state}") == ["one"]


def test_what_stands_in_the_way_of_one_is_told_and_the_others_are_done(ada: Browser) -> None:
    ids = made(ada, "one")
    draft = ada.send("/workflows/build", LIST).location.split("/")[2]
    change(ada, "disable", ids)
    shown = change(ada, "enable", [draft, *ids])
    assert "1 workflow enabled." in shown
    assert "publish it to enable it" in shown
    assert names(ada, "?state=enabled") == ["one"]


def test_many_are_moved_tagged_and_that_is_undone(ada: Browser) -> None:
    ids = made(ada, "one", "two")
    change(ada, "move", ids[:1], folder="a")
    moved = change(ada, "move", ids, folder=" a / b ")
    assert names(ada, "?folder=a/b") == ["two", "one"]
    assert 'title="a/b"' in ada.get(LIST).text
    undo(ada, moved)
    assert names(ada, "?folder=a") == ["one"]
    tagged = change(ada, "tag", ids, tag="Shop")
    assert names(ada, "?tag=shop") == ["two", "one"]
    undo(ada, tagged)
    assert names(ada, "?tag=shop") == []
    for action, wrong in (("move", {"folder": "x" * 61}), ("tag", {"tag": ""})):
        assert "Nothing was changed" in change(ada, action, ids, **wrong)


def test_deleted_workflows_come_back_with_their_webhook_urls(ada: Browser) -> None:
    ids = made(ada, "one", "two")
    [url] = set(re.findall(r"/webhook/[0-9a-f-]{36}", ada.get(f"/workflows/{ids[0]}").text))
    shown = change(ada, "delete", ids)
    assert "2 workflows deleted." in shown
    assert ada.client.post(url).status_code == 404
    undo(ada, shown)
    assert names(ada) == ["two", "one"]
    assert ada.client.post(url).status_code == 200


def test_a_deleted_workflow_is_listed_restored_and_purged(ada: Browser) -> None:
    one, two = made(ada, "one", "two")
    for id_ in (one, two):
        ada.send(f"/workflows/{id_}/delete", f"/workflows/{id_}")
    page = ada.get("/workflows/deleted").text
    assert (">one<" in page, ">two<" in page) == (True, True)
    assert ada.send(f"/workflows/deleted/{one}/restore", "/workflows/deleted").location == f"/workflows/{one}"
    ada.send(f"/workflows/deleted/{two}/purge", "/workflows/deleted")
    assert "Nothing was deleted" in ada.get("/workflows/deleted").text
    assert names(ada) == ["one"]


def test_an_undoing_is_used_once_and_by_whoever_did_it(ada: Browser, signed_up: Callable[[str], Browser]) -> None:
    ids = made(ada, "one")
    shown = change(ada, "delete", ids)
    [token] = re.findall(r'name="undo" value="([^"]+)"', shown)
    eve = signed_up("eve")
    eve.send("/workflows/undo", LIST, undo=token)
    assert "no longer be undone" in notice(eve)
    undo(ada, shown)
    ada.send("/workflows/undo", LIST, undo=token)
    assert "no longer be undone" in notice(ada)


def test_nobody_changes_what_is_not_theirs(ada: Browser, signed_up: Callable[[str], Browser]) -> None:
    ids, eve = made(ada, "one"), signed_up("eve")
    for action in ("enable", "disable", "delete", "move", "tag"):
        change(eve, action, ids, folder="stolen", tag="stolen")
    assert eve.send(f"/workflows/{ids[0]}/duplicate", LIST).status_code == 404
    assert "nothing to export" in change(eve, "export", ids)
    page = ada.get(LIST).text
    assert ("stolen" in page, 'aria-checked="true"' in page) == (False, True)


def test_one_is_exported_as_a_file_and_several_as_an_archive(ada: Browser) -> None:
    ids = made(ada, "Über", "two")
    change(ada, "move", ids[:1], folder="a/b")
    one = ada.send("/workflows/bulk", LIST, action="export", id=ids[:1])
    assert one.headers["Content-Disposition"] == "attachment; filename=uber.yaml"
    assert "name: Über\nfolder: a/b\n" in one.text
    both = ada.send("/workflows/bulk", LIST, action="export", id=ids)
    assert sorted(zipfile.ZipFile(io.BytesIO(both.data)).namelist()) == ["two.yaml", "uber.yaml"]


def test_a_copy_is_a_draft_in_the_same_folder(ada: Browser) -> None:
    [id_] = made(ada, "one")
    change(ada, "move", [id_], folder="a")
    assert re.fullmatch(r"/workflows/[0-9a-f-]+/build", ada.send(f"/workflows/{id_}/duplicate", LIST).location)
    assert names(ada, "?folder=a&state=draft") == ["Copy of one"]


def test_a_folder_is_renamed_and_deleted(ada: Browser) -> None:
    ids = made(ada, "one")
    change(ada, "move", ids, folder="a/b")
    assert ada.send("/workflows/folders", LIST, folder="a/b", name="c").location == "/workflows?folder=c"
    assert names(ada, "?folder=c") == ["one"]
    ada.send("/workflows/folders", LIST, folder="c", name="x" * 61)
    assert "was not renamed" in notice(ada)
    assert ada.send("/workflows/folders/delete", LIST, folder="c").location == "/workflows"
    assert 'title="c"' not in ada.get(LIST).text
    assert ada.send("/workflows/folders", LIST, folder="nowhere", name="d").status_code == 404


def test_the_number_of_statements_does_not_grow(ada: Browser, backends: Backends) -> None:
    def statements() -> int:
        with counting_statements(backends.engine) as sent:
            ada.get(f"{LIST}?sort=lastRun")
        return len(sent)

    ids = made(ada, "one")
    change(ada, "move", ids, folder="a")
    few = statements()
    change(ada, "move", made(ada, "two", "three"), folder="a/b")
    assert statements() == few
