"""Workflows as code, as models for the OpenAPI document."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from pydantic import Field

from flowforge.language.definition import MAX_ACTIONS, ActionDefinition, Name, TriggerDefinition, WorkflowSettings
from flowforge.workflows.bundle import MOST_WORKFLOWS
from flowforge.workflows.changes import LONGEST_NOTE
from flowforge.workflows.workflow_keys import KEY_PATTERN
from webapp.api.schemas import ErrorDetail
from webapp.wire import FreeObject, Wire, left_out_when_none


class BundledDefinition(Wire):
    """A workflow's definition. What is left out is not there."""

    name: Name
    trigger: TriggerDefinition | None = None
    settings: WorkflowSettings | None = None
    actions: list[ActionDefinition] | None = Field(None, max_length=MAX_ACTIONS)


class BundledWorkflow(Wire):
    """Found again by its key; without one, by its name, if only one workflow has it."""

    key: str | None = Field(None, pattern=f"^{KEY_PATTERN}$", description="The same on every server.")
    enabled: bool | None = Field(None, description="Left out: as it is; a new one is on.")
    folder: str | None = Field(None, description="As in sales/leads. Left out: as it is; empty: in no folder.")
    definition: BundledDefinition = Field(
        description="Other workflows may be named as `key:<key>` in place of their ids; masked secrets are kept."
    )


class Bundle(Wire):
    workflows: list[BundledWorkflow] = Field(min_length=1, max_length=MOST_WORKFLOWS)
    dry_run: bool | None = Field(None, description="Tell what would be done, and do nothing.")
    note: str | None = Field(None, max_length=LONGEST_NOTE, description="Kept with every version that is made.")


class ExportedWorkflow(Wire):
    key: str | None = left_out_when_none()
    enabled: bool
    folder: str | None = left_out_when_none()
    definition: FreeObject


class Exported(Wire):
    workflows: list[ExportedWorkflow]


class AppliedWorkflow(Wire):
    key: str | None
    name: str
    outcome: Literal["created", "changed", "unchanged"]
    id: UUID | None
    version_id: UUID | None = None
    before: ExportedWorkflow | None = Field(None, description="Of a dry run.")
    after: ExportedWorkflow | None = Field(None, description="Of a dry run.")
    warnings: list[ErrorDetail] | None = left_out_when_none(
        "What was written and has no effect, if anything; pointers begin at this workflow's document."
    )


class Applied(Wire):
    dry_run: bool
    workflows: list[AppliedWorkflow] = Field(description="In the order of the request.")
