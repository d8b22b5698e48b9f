"""The wire models of APIs that accounts have added (see schemas.py)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import Field

from flowforge.api_registry.changes import LONGEST_ADDRESS
from webapp.wire import Wire


class DescriptionSource(Wire):
    """Either an address or a file."""

    address: str | None = Field(None, max_length=LONGEST_ADDRESS, description="Where the description is.")
    file: str | None = Field(
        None, description="The description itself: OpenAPI 2.0, 3.0 or 3.1 as JSON or YAML, or Google Discovery."
    )
    file_name: str | None = Field(None, max_length=200, description="What the file is called, for people.")


class NewApi(DescriptionSource):
    name: str | None = Field(
        None, max_length=63, description="Small letters, digits, _ and -; steps call it by this. Made from its title."
    )


class Operation(Wire):
    id: str = Field(description="What steps call it by.")
    method: str
    path: str
    title: str
    tag: str
    summary: str
    deprecated: bool


class RefusedPart(Wire):
    subject: str
    reason: str
    operation: str | None = Field(description="The operation that cannot be used; null where all can.")


class ApiVersion(Wire):
    id: UUID
    version: str = Field(description="What steps call it by: the same wherever the same file is kept.")
    title: str
    number: str = Field(description="The version that the file itself states.")
    format: str
    size: int
    created_at: datetime
    is_present: bool = Field(description="Whether new steps are built with it.")


class ApiSummary(Wire):
    id: UUID
    name: str
    title: str
    version: str
    number: str
    source: str
    operation_count: int
    action_count: int
    updated_at: datetime


class Api(Wire):
    id: UUID
    name: str
    title: str
    version: str
    number: str
    format: str
    source: str = Field(description="The address, or the name of the file.")
    operations: list[Operation]
    actions: list[str] = Field(description="Ids of the operations that the builder offers as actions.")
    refused: list[RefusedPart] = Field(description="What cannot be used of the file, and why.")
    versions: list[ApiVersion] = Field(description="Newest first.")
    created_at: datetime
    updated_at: datetime


class ChosenActions(Wire):
    actions: list[str] = Field(description="Ids of the operations that the builder offers, in place of those before.")


class Change(Wire):
    pointer: str = Field(description="The input (`/query/limit`), or the part of the answer (`/answer/id`).")
    message: str


class ChangedOperation(Wire):
    operation: str
    changes: list[Change]


class StepUse(Wire):
    workflow_id: UUID
    workflow_name: str
    in_draft: bool
    at: str = Field(description="The pointer of the step in its definition.")
    step: str
    operation: str
    version: str


class HitStep(Wire):
    use: StepUse
    is_removed: bool
    changes: list[Change]


class VersionDifference(Wire):
    version: ApiVersion
    added: list[Operation]
    removed: list[Operation]
    changed: list[ChangedOperation]
    steps: list[HitStep] = Field(description="Steps whose operation is missing or different in it.")
