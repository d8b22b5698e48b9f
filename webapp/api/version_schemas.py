"""Models of the JSON on the wire about versions, drafts and trials (see schemas.py)."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import Field, RootModel, SkipValidation

from flowforge.jsonio import JsonObject
from flowforge.language.differences import ABSENT
from webapp.api.schemas import ErrorDetail
from webapp.wire import FreeObject, Wire, left_out_when_none

Note = Field(None, max_length=500, description="What people say about the version.")


class Restoring(Wire):
    note: str | None = Note


def _is_absent(value: object) -> bool:
    return value is ABSENT


class FieldChange(Wire):
    pointer: str = Field(description="Into the new definition; where the field is gone, into the old one.")
    from_: Any = Field(
        None,
        validation_alias="before",
        serialization_alias="from",
        exclude_if=_is_absent,
        description="Absent where there was none.",
    )
    to: Any = Field(None, validation_alias="after", exclude_if=_is_absent, description="Absent where it is gone.")


class StepChange(Wire):
    kind: Literal["added", "removed", "changed", "moved"] = Field(description="What was moved may be changed, too.")
    id: Any
    type: str
    from_: str | None = Field(
        validation_alias="before", serialization_alias="from", description="Pointer to it in the old definition."
    )
    to: str | None = Field(validation_alias="after", description="Pointer to it in the new definition.")
    fields: list[FieldChange]
    action: SkipValidation[JsonObject | None] = left_out_when_none(
        "What was added or removed, without the actions inside it."
    )


class Differences(Wire):
    same: bool
    fields: list[FieldChange] = Field(description="Of name, trigger and settings.")
    steps: list[StepChange]


class DraftChange(Wire):
    revision: int = Field(0, ge=0, le=2_000_000_000, description="The one it was made from; 0: there was no draft.")
    definition: JsonObject = Field(description="name, trigger, actions and settings, in whatever state they are.")


class Draft(Wire):
    workflow_id: UUID
    revision: int = Field(description="0: there is no draft; the definition is the one that is published.")
    definition: FreeObject
    problems: list[ErrorDetail] = Field(description="What keeps it from being published.")
    version_id: UUID | None = Field(description="What is published now.")
    base_version_id: UUID | None = Field(description="What was published when the draft was begun.")
    behind: bool = Field(description="Whether these are not the same.")
    updated_at: datetime
    updated_by: UUID | None
    warnings: list[ErrorDetail] = Field(description="What is written in it and has no effect.")


class Duplicating(Wire):
    name: str = Field(description="The name of the copy.", min_length=1, max_length=255)


class Publishing(Wire):
    revision: int | None = Field(None, ge=0, le=2_000_000_000, description="The one that is meant.")
    note: str | None = Note
    overwrite: bool | None = Field(None, description="Also when another version was published meanwhile.")


class Trying(Wire):
    """Data for the test of a step; an omitted part is filled from pins, else from the latest execution."""

    trigger: JsonObject | None = None
    steps: JsonObject | None = Field(None, description="Outputs by the step's id.")
    item: Any = None
    loop: JsonObject | None = None
    error: JsonObject | None = None
    dry_run: bool = Field(False, description="Resolves everything and calls nobody.")


class WrittenLine(Wire):
    level: str
    text: str


class Tried(Wire):
    config: SkipValidation[JsonObject | None] = Field(description="What the step was given, secrets masked.")
    output: SkipValidation[JsonObject | None] = Field(description="Of a block: what it would do.")
    error: str | None
    field: str | None = Field(description="Where in the step the error is, where that is known.")
    runs: bool | None = Field(description="Whether its `when` holds; null: that depends on what is not known.")
    unknown: list[str] = Field(description="Pointers into the step to what depends on outputs that nobody knows.")
    duration_ms: int
    log: list[WrittenLine] = Field(description="The lines that it wrote.")


Source = Literal["pinned", "execution", "computed", "sample", "unknown"]


class KnownData(Wire):
    roots: FreeObject = Field(description="trigger, steps by id and number, and inside blocks item, loop and error.")
    trigger: Source
    steps: dict[str, Source] = Field(description="Of the steps whose output can be used there, by id.")


class Previewing(Wire):
    text: str = Field(max_length=20_000, description="With expressions in {{ }}.")
    pointer: str = Field("", max_length=1_000, description="To the step of the draft; none: behind its last step.")


class Preview(Wire):
    """One of the two."""

    value: Any = None
    error: str | None = None


class DryStep(Wire):
    id: str
    index: int
    type: str
    pointer: str | None
    runs: bool | None = Field(description="null: it depends on what is not known.")
    on_error: bool = Field(description="Whether it would only run to handle an error.")
    config: SkipValidation[JsonObject | None] = Field(
        description="Resolved, secrets masked; notes stand where a value is not known."
    )
    would: SkipValidation[JsonObject | None] = Field(description="Of a block: what it would do.")
    output: Any = Field(description="What the steps behind it were shown as its output.")
    source: Source | None
    error: str | None
    field: str | None
    unknown: list[str]


class DryRun(Wire):
    trigger: Any
    steps: list[DryStep] = Field(description="In the order in which they would run; of loops the first item.")
    errors: int
    unknown: int
    stopped_by: SkipValidation[JsonObject | None] = Field(description="The STOP that would end it.")
    complete: bool = Field(description="false: it took too long, the steps behind were not looked at.")


class Sample(Wire):
    trigger: SkipValidation[JsonObject | None]


class Pins(RootModel[dict[str, FreeObject]]):
    """Outputs by the step's id."""

    def as_json(self) -> dict[str, JsonObject]:
        return self.root
