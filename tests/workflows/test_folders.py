"""Folders of workflows."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from flowforge.db.tables import Workflow
from flowforge.errors import Invalid, NotFound
from flowforge.ids import uuid7
from flowforge.workflows import folders
from flowforge.workflows.listing import WorkflowFilter, search


def in_folder(session: Session, user_id: UUID, folder: str) -> set[str]:
    return {row.name for row in search(session, user_id, WorkflowFilter(folder=folder)).rows}


@pytest.mark.parametrize(
    ("written", "path"),
    [(None, None), ("", None), (" / ", None), ("Sales", "Sales"), (" Sales //  New  leads/ ", "Sales/New leads")],
)
def test_a_path_is_read_as_people_write_it(written: object, path: str | None) -> None:
    assert folders.read(written) == path


@pytest.mark.parametrize("wrong", [1, "x" * 61, "a\0b", "/".join("abcdefghi")])
def test_what_is_no_path_is_refused_by_its_field(wrong: object) -> None:
    with pytest.raises(Invalid) as refused:
        folders.read(wrong)
    assert refused.value.problems[0].pointer == "/folder"


def test_workflows_are_moved_and_counted_with_the_folders_within(
    session: Session, user_id: UUID, workflow: Callable[..., Workflow]
) -> None:
    one, two, strange = workflow("one"), workflow("two"), workflow("strange", user_id=uuid7())
    changed = one.updated_at
    assert folders.move(session, user_id, [one.id, strange.id], "a_b") == {one.id: None}
    assert folders.move(session, user_id, [one.id, two.id], "a_b/c") == {one.id: "a_b", two.id: None}
    assert folders.move(session, user_id, [one.id], "a_b") == {one.id: "a_b/c"}
    assert [(each.path, each.name, each.depth, each.workflows) for each in folders.all_of(session, user_id)] == [
        ("a_b", "a_b", 0, 2),
        ("a_b/c", "c", 1, 1),
    ]
    assert in_folder(session, user_id, "a_b") == {"one", "two"}
    assert in_folder(session, user_id, "a_b/c") == {"two"}
    assert in_folder(session, user_id, "axb") == set()
    session.refresh(one)
    assert one.updated_at == changed


def test_a_folder_is_renamed_with_what_is_within_and_dissolved_into_the_one_around(
    session: Session, user_id: UUID, workflow: Callable[..., Workflow]
) -> None:
    for path in ("a", "a/b", "a/b/c", "ab"):
        folders.move(session, user_id, [workflow(path).id], path)
    assert folders.rename(session, user_id, "a/b", "x/y") == 2
    assert {each.path for each in folders.all_of(session, user_id)} == {"a", "ab", "x", "x/y", "x/y/c"}
    assert folders.remove(session, user_id, "x/y") == 2
    assert in_folder(session, user_id, "x") == {"a/b", "a/b/c"}
    assert {each.path for each in folders.all_of(session, user_id)} == {"a", "ab", "x", "x/c"}
    with pytest.raises(NotFound):
        folders.rename(session, uuid7(), "a", "b")
    with pytest.raises(Invalid):
        folders.rename(session, user_id, "x", "/".join("abcdefgh"))


def test_a_folder_is_renamed_into_itself_or_into_the_one_around_it(
    session: Session, user_id: UUID, workflow: Callable[..., Workflow]
) -> None:
    for path in ("a", "a/b"):
        folders.move(session, user_id, [workflow(path).id], path)
    assert folders.rename(session, user_id, "a", "a/b") == 2
    assert in_folder(session, user_id, "a/b/b") == {"a/b"}
    assert folders.rename(session, user_id, "a/b", "a") == 2
    assert in_folder(session, user_id, "a/b") == {"a/b"}
    assert folders.rename(session, user_id, "a", None) == 2
    assert [each.path for each in folders.all_of(session, user_id)] == ["b"]
