"""The versions of a workflow: one of them, what differs between two, and an old one taken up again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from flowforge.db.tables import Workflow, WorkflowDraft, WorkflowVersion
from flowforge.errors import Conflict, Invalid, NotFound, raise_any
from flowforge.jsonio import JsonObject
from flowforge.language.differences import Differences, Side, differences
from flowforge.secrets import SecretUnreadable
from flowforge.workflows.drafts import opened_draft
from flowforge.workflows.version_notes import problems_of_note
from flowforge.workflows.workflows import DEFINITION, Workflows, published

PUBLISHED, DRAFT = "published", "draft"


@dataclass(frozen=True, slots=True)
class Versions:
    workflows: Workflows

    def get(self, session: Session, user_id: UUID, workflow_id: UUID, version_id: UUID) -> WorkflowVersion:
        """One that was published, or a draft as it was run. Raises NotFound."""
        return self._found(session, self.workflows.get(session, user_id, workflow_id), WorkflowVersion.id == version_id)

    def compare(self, session: Session, user_id: UUID, workflow_id: UUID, old: str, new: str) -> Differences:
        """`old` and `new` are each the id or number of a version, `published` or `draft`. Raises NotFound, and
        Conflict where a secret can no longer be read."""
        workflow = self.workflows.get(session, user_id, workflow_id)
        return differences(self._seen(session, workflow, old, "from"), self._seen(session, workflow, new, "to"))

    def restore(
        self, session: Session, user_id: UUID, workflow_id: UUID, version_id: UUID, raw: Mapping[str, Any]
    ) -> Workflow:
        """Publish an old version as a new one, with the `note` of `raw` or a note that names the old version. Commits.
        Raises NotFound, Conflict, and Invalid where the definition would not be accepted today."""
        raise_any(problems_of_note(raw))
        workflow = self.workflows.locked(session, user_id, workflow_id)
        version = self._found(session, workflow, WorkflowVersion.id == version_id)
        note = raw.get("note") or f"restored from {_named(version)}"
        definition = self.workflows.read(session, user_id, self._opened(version.definition), workflow)
        self.workflows.save(session, workflow, definition, user_id, note)
        return workflow

    def _seen(self, session: Session, workflow: Workflow, named: str, at: str) -> Side:
        if named == DRAFT:
            draft = session.get(WorkflowDraft, workflow.id)
            clear = opened_draft(self.workflows.vault, draft) if draft else self._opened(published(workflow))
        elif named == PUBLISHED:
            clear = self._opened(published(workflow))
        else:
            clear = self._opened(self._found(session, workflow, _which(named, at)).definition)
        parts = {part: clear.get(part) for part in DEFINITION}  # in a draft, anything may stand besides
        return Side(parts, self.workflows.form.masked(parts))

    def _opened(self, definition: Mapping[str, Any]) -> JsonObject:
        try:
            return self.workflows.form.opened(definition)
        except SecretUnreadable as error:
            raise Conflict(str(error)) from error

    def _found(self, session: Session, workflow: Workflow, which: Any) -> WorkflowVersion:
        version = session.scalar(select(WorkflowVersion).where(WorkflowVersion.workflow_id == workflow.id, which))
        if version is None:
            raise NotFound("there is no such version of this workflow")
        return version


def _which(named: str, at: str) -> Any:
    if named.isdecimal() and len(named) < 10:
        return WorkflowVersion.number == int(named)
    try:
        return WorkflowVersion.id == UUID(named)
    except ValueError as error:
        raise Invalid.at(f"/{at}", f"must be the id or number of a version, {PUBLISHED} or {DRAFT}") from error


def _named(version: WorkflowVersion) -> str:
    return "a draft that was run" if version.number is None else f"version {version.number}"
