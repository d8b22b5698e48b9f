"""The versions of a workflow: one of them, what differs between two, and an old one taken up again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from flowforge.db.tables import Workflow, WorkflowDraft, WorkflowVersion
from flowforge.errors import Conflict, Invalid, NotFound
from flowforge.jsonio import JsonObject
from flowforge.language.differences import Differences, Side, differences
from flowforge.secrets import SecretUnreadable
from flowforge.sentences import message_of, sentence
from flowforge.workflows.changes import Restoration, WorkflowChange
from flowforge.workflows.drafts import opened_draft
from flowforge.workflows.views import VersionView, WorkflowView
from flowforge.workflows.workflows import DEFINITION, Workflows, published

PUBLISHED, DRAFT = "published", "draft"


@dataclass(frozen=True, slots=True)
class Versions:
    workflows: Workflows

    def get(self, session: Session, user_id: UUID, workflow_id: UUID, version_id: UUID) -> VersionView:
        """Get one that was published, or a draft as it was run, secrets masked. Raises NotFound."""
        workflow = self.workflows.load(session, user_id, workflow_id)
        return self.workflows.version_view(self._found(session, workflow, WorkflowVersion.id == version_id))

    def compare(self, session: Session, user_id: UUID, workflow_id: UUID, old: str, new: str) -> Differences:
        """`old` and `new` are each the id or number of a version, `published` or `draft`. Raises NotFound, and
        Conflict where a secret can no longer be read."""
        workflow = self.workflows.load(session, user_id, workflow_id)
        return differences(self._seen(session, workflow, old, "from"), self._seen(session, workflow, new, "to"))

    def restore(
        self, session: Session, user_id: UUID, workflow_id: UUID, version_id: UUID, wanted: Restoration
    ) -> WorkflowView:
        """Publish an old version as a new one. Commits. Raises NotFound, Conflict, and Invalid where the definition
        would not be accepted today."""
        workflow = self.workflows.locked(session, user_id, workflow_id)
        version = self._found(session, workflow, WorkflowVersion.id == version_id)
        note = wanted.note or f"restored from {_named(version)}"
        written = WorkflowChange(self._open(version.definition))
        definition = self.workflows.read(session, user_id, written, workflow)
        self.workflows.save(session, workflow, definition, user_id, note)
        return self.workflows.view(workflow)

    def _seen(self, session: Session, workflow: Workflow, named: str, at: str) -> Side:
        if named == DRAFT:
            draft = session.get(WorkflowDraft, workflow.id)
            clear = opened_draft(self.workflows.vault, draft) if draft else self._open(published(workflow))
        elif named == PUBLISHED:
            clear = self._open(published(workflow))
        else:
            clear = self._open(self._found(session, workflow, _which(named, at)).definition)
        parts = {part: clear.get(part) for part in DEFINITION}  # in a draft, anything may stand besides
        return Side(parts, self.workflows.form.masked(parts))

    def _open(self, definition: Mapping[str, Any]) -> JsonObject:
        try:
            return self.workflows.form.opened(definition)
        except SecretUnreadable as error:
            raise Conflict(message_of(error)) from error

    def _found(self, session: Session, workflow: Workflow, which: Any) -> WorkflowVersion:
        version = session.scalar(select(WorkflowVersion).where(WorkflowVersion.workflow_id == workflow.id, which))
        if version is None:
            raise NotFound(sentence("there is no such version of this workflow"))
        return version


def _which(named: str, at: str) -> Any:
    if named.isdecimal() and len(named) < 10:
        return WorkflowVersion.number == int(named)
    try:
        return WorkflowVersion.id == UUID(named)
    except ValueError as error:
        raise Invalid.at(
            f"/{at}",
            sentence(
                "must be the id or number of a version, %(published)s or %(draft)s", published=PUBLISHED, draft=DRAFT
            ),
        ) from error


def _named(version: WorkflowVersion) -> str:
    return "a draft that was run" if version.number is None else f"version {version.number}"
