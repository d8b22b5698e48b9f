"""A workflow whose draft is looked at by a dry run and by the data picker."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy.orm import Session

from flowforge.connectors.catalog import load_catalog
from flowforge.db.tables import Workflow
from flowforge.preview.dry_run import dry_run
from flowforge.preview.expression_context import context_at
from flowforge.triggers.registrations import Triggers
from flowforge.wiring import Backends
from flowforge.workflows.changes import DraftChange
from flowforge.workflows.drafts import Drafts
from flowforge.workflows.workflows import Workflows


@pytest.fixture
def drafts(backends: Backends) -> Drafts:
    return Drafts(Workflows(load_catalog(), backends.vault, Triggers(backends.settings, backends.vault)))


class Draft:
    """A draft, and what the dry run and the data picker say about it."""

    def __init__(self, session: Session, drafts: Drafts, backends: Backends, workflow: Workflow) -> None:
        self._session, self._drafts, self._backends, self.workflow = session, drafts, backends, workflow
        self.definition: dict[str, Any] = {"name": "Draft", "actions": []}

    def write(self, *actions: dict[str, Any]) -> None:
        self.definition = {"name": "Draft", "actions": list(actions)}
        self._drafts.save(self._session, self.workflow.user_id, self.workflow.id, DraftChange(self.definition))

    def outputs_of_dry_run(self) -> dict[str, Any]:
        """By the step's id; None where the step runs and its output is unknown."""
        links, user_id = self._backends.resume_links, self.workflow.user_id
        ran = dry_run(self._session, self._drafts, links, user_id, self.workflow.id, {}, draft=True)
        return {row.id: row.output for row in ran.steps if row.runs is not False}

    def outputs_in_picker(self, at: str = "") -> dict[str, Any]:
        """By the step's id; without those that are not known."""
        roots = context_at(self._session, self.workflow.id, self.definition, at).roots
        return {name: output for name, output in roots["steps"].items() if not name.startswith("step_")}


@pytest.fixture
def draft(session: Session, drafts: Drafts, backends: Backends, workflow: Callable[..., Workflow]) -> Draft:
    return Draft(session, drafts, backends, workflow())
