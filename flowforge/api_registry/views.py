"""Views of APIs, as the lists and pages show them: made without reading a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from flowforge.apis.description import OperationEntry, Refused
from flowforge.errors import Problem
from flowforge.workflows.api_uses import StepUse


@dataclass(frozen=True, slots=True)
class ApiVersionView:
    """A file that describes the API. `version`: the name steps have for it; `number`: what the file says itself."""

    id: UUID
    version: str
    title: str
    number: str
    format: str
    size: int
    created_at: datetime
    is_present: bool
    """Whether new steps are built with it."""


@dataclass(frozen=True, slots=True)
class ApiSummary:
    """An API in a list."""

    id: UUID
    name: str
    title: str
    version: str
    number: str
    source: str
    operation_count: int
    action_count: int
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class ApiActions:
    """The operations of an API that the builder offers."""

    name: str
    title: str
    operations: Sequence[OperationEntry]


@dataclass(frozen=True, slots=True)
class ApiView:
    """An API with its operations, in the present version."""

    id: UUID
    name: str
    title: str
    version: str
    number: str
    format: str
    source: str
    operations: Sequence[OperationEntry]
    actions: Sequence[str]
    """The ids of the operations that are offered as actions."""
    refused: Sequence[Refused]
    versions: Sequence[ApiVersionView]
    """Newest first."""
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class ChangedOperation:
    operation: str
    changes: Sequence[Problem]
    """What is different in what it takes or answers."""


@dataclass(frozen=True, slots=True)
class HitStep:
    """A step that uses an operation which another version lacks, or has otherwise."""

    use: StepUse
    is_removed: bool
    changes: Sequence[Problem]


@dataclass(frozen=True, slots=True)
class VersionDifference:
    """What taking a version would change, against the present one."""

    version: ApiVersionView
    added: Sequence[OperationEntry]
    removed: Sequence[OperationEntry]
    changed: Sequence[ChangedOperation]
    steps: Sequence[HitStep]
