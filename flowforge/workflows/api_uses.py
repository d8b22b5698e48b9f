"""Uses of APIs by the steps of workflows, as published and in drafts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from flowforge.connectors.catalog import Catalog
from flowforge.connectors.described import API, OPERATION, VERSION
from flowforge.db.tables import Workflow, WorkflowDraft
from flowforge.errors import Conflict
from flowforge.language.pointers import pointer
from flowforge.language.tree import actions_in
from flowforge.secrets import Vault
from flowforge.workflows.api_steps import described_by
from flowforge.workflows.drafts import opened_draft
from flowforge.workflows.validation import config_of

_MOST_DRAFTS = 200
"""Looked into, the newest: each is sealed as a whole."""


@dataclass(frozen=True, slots=True)
class StepUse:
    """A step that calls an operation of an API. `version`: empty where a draft leaves it open."""

    workflow_id: UUID
    workflow_name: str
    in_draft: bool
    at: str
    """The pointer of the step in its definition."""
    step: str
    """Its name, or its id."""
    operation: str
    version: str


def api_uses(session: Session, catalog: Catalog, vault: Vault, user_id: UUID, api: str) -> list[StepUse]:
    """All uses of one API. Two statements."""
    published = _steps(catalog, api, _published(session, user_id), in_draft=False)
    drafted = _steps(catalog, api, _drafted(session, vault, user_id), in_draft=True)
    return sorted([*published, *drafted], key=lambda use: (use.workflow_name, use.in_draft, use.at))


Listed = tuple[UUID, str, Any]
"""A workflow's id and name, and its actions."""


def _published(session: Session, user_id: UUID) -> Iterator[Listed]:
    names_an_api = func.jsonb_path_exists(Workflow.actions_definition, f"strict $.**.config.{API}", "{}", True)
    mine = select(Workflow.id, Workflow.name, Workflow.actions_definition)
    for row in session.execute(mine.where(Workflow.user_id == user_id, names_an_api)):
        yield row[0], row[1], row[2]


def _drafted(session: Session, vault: Vault, user_id: UUID) -> Iterator[Listed]:
    mine = select(WorkflowDraft, Workflow.name).join(Workflow, Workflow.id == WorkflowDraft.id)
    newest = mine.where(Workflow.user_id == user_id).order_by(WorkflowDraft.updated_at.desc()).limit(_MOST_DRAFTS)
    for draft, name in session.execute(newest):
        try:
            yield draft.id, name, opened_draft(vault, draft).get("actions")
        except Conflict:  # sealed with a key that is gone: it can only be discarded
            continue


def _steps(catalog: Catalog, api: str, listed: Iterator[Listed], *, in_draft: bool) -> Iterator[StepUse]:
    for workflow_id, workflow_name, actions in listed:
        for path, action in actions_in(actions):
            config = config_of(action) or {}
            if described_by(catalog, action) is not None and config.get(API) == api:
                step = str(action.get("name") or action.get("id") or config.get(OPERATION, ""))
                operation, version = str(config.get(OPERATION, "")), str(config.get(VERSION) or "")
                yield StepUse(workflow_id, workflow_name, in_draft, pointer(path), step, operation, version)
