"""Folders of workflows: each workflow is in at most one, whose path names the folders around it, as in `sales/leads`.

A folder is there as long as a workflow is in it, as with tags: nothing has to be made or cleaned up.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, Text, case, cast, func, or_, select, update
from sqlalchemy.orm import Session

from flowforge.db import like_patterns
from flowforge.db.tables import Workflow
from flowforge.errors import Invalid, NotFound
from flowforge.sentences import sentence

LONGEST_NAME = 60
DEEPEST = 8
MOST_LISTED = 500


@dataclass(frozen=True, slots=True)
class Folder:
    path: str
    workflows: int
    """How many are in it, and in the folders within it."""

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]

    @property
    def depth(self) -> int:
        """0 for one that is in no other."""
        return self.path.count("/")


def read(wanted: object) -> str | None:
    """Read the path of a folder; None for no folder, which is empty or null. Raises Invalid."""
    if wanted is None:
        return None
    if not isinstance(wanted, str):
        raise Invalid.at("/folder", sentence("must be a text"))
    names = [" ".join(name.split()) for name in wanted.split("/")]
    names = [name for name in names if name]
    if len(names) > DEEPEST:
        raise Invalid.at("/folder", sentence("must be at most %(most)s folders deep", most=DEEPEST))
    if any(len(name) > LONGEST_NAME or not name.isprintable() for name in names):
        raise Invalid.at(
            "/folder",
            sentence(
                "must have names of at most %(most)s printable characters, with / between them", most=LONGEST_NAME
            ),
        )
    return "/".join(names) or None


def all_of(session: Session, user_id: UUID) -> Sequence[Folder]:
    """List every folder of the user, those around others first; at most MOST_LISTED."""
    mine = select(cast(Workflow.folder, Text), func.count()).where(
        Workflow.user_id == user_id, Workflow.folder.is_not(None)
    )
    counts: Counter[str] = Counter()
    for path, count in session.execute(mine.group_by(Workflow.folder).order_by(Workflow.folder).limit(MOST_LISTED)):
        for around in _with_those_around(path):
            counts[around] += count
    return [Folder(path, counts[path]) for path in sorted(counts, key=_sort_key)]


def is_within(path: str) -> ColumnElement[bool]:
    """Whether a workflow is in the folder, or in one within it."""
    return or_(Workflow.folder == path, Workflow.folder.like(f"{like_patterns.literal(path)}/%", escape="\\"))


def move(
    session: Session, user_id: UUID, workflow_ids: Sequence[UUID], folder: str | None
) -> Mapping[UUID, str | None]:
    """Move workflows into a folder that `read` gave. Commits. Returns where those that were elsewhere have been."""
    wanted = Workflow.user_id == user_id, Workflow.id.in_(workflow_ids), Workflow.folder.is_distinct_from(folder)
    found = select(Workflow.id, Workflow.folder).where(*wanted).order_by(Workflow.id).with_for_update()
    before: dict[UUID, str | None] = {row.id: row.folder for row in session.execute(found)}
    _set_folder(session, Workflow.id.in_(before), folder)
    session.commit()
    return before


def place(session: Session, user_id: UUID, workflow_id: UUID, folder: str | None) -> None:
    """Move one workflow into a folder that `read` gave. Commits. Raises NotFound."""
    if not _set_folder(session, (Workflow.user_id == user_id) & (Workflow.id == workflow_id), folder):
        raise NotFound(sentence("there is no such workflow"))
    session.commit()


def rename(session: Session, user_id: UUID, path: str, renamed: str | None) -> int:
    """Rename a folder, or move it into another one, with the folders within it; with None its workflows are in no
    folder. Returns how many workflows it had. Commits. Raises NotFound, and Invalid where a path gets too deep."""
    mine = select(Workflow.folder).where(Workflow.user_id == user_id, is_within(path))
    former = sorted({folder for folder in session.scalars(mine.with_for_update()) if folder})
    if not former:
        raise NotFound(sentence("there is no such folder"))
    later = {folder: read("/".join(filter(None, (renamed, folder.removeprefix(path).strip("/"))))) for folder in former}
    # at once: one of the new paths may be among the former ones
    target = case(*((Workflow.folder == folder, cast(new, Text)) for folder, new in later.items()))
    moved = _set_folder(session, (Workflow.user_id == user_id) & Workflow.folder.in_(former), target)
    session.commit()
    return moved


def remove(session: Session, user_id: UUID, path: str) -> int:
    """Dissolve a folder: what was in it is in the folder around it then. Returns how many workflows it had. Commits.
    Raises NotFound."""
    return rename(session, user_id, path, path.rpartition("/")[0] or None)


def _set_folder(session: Session, which: ColumnElement[bool], folder: str | ColumnElement[str] | None) -> int:
    """Returns how many were changed. Leaves the time of the last change: the workflow itself does not change."""
    values = {"folder": folder, "updated_at": Workflow.updated_at}
    return session.connection().execute(update(Workflow).where(which).values(**values)).rowcount


def _with_those_around(path: str) -> list[str]:
    """`a/b` as [`a`, `a/b`]."""
    names = path.split("/")
    return ["/".join(names[: depth + 1]) for depth in range(len(names))]


def _sort_key(path: str) -> list[str]:
    return [name.casefold() for name in path.split("/")]
