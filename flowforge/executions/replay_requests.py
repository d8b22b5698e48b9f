"""Replays as people and clients request them, read from their JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from flowforge.errors import Invalid
from flowforge.events import Time
from flowforge.jsonio import JsonObject
from flowforge.language.wording import problems_of
from flowforge.sentences import sentence

MOST_AT_ONCE = 1_000

VersionChoice = Literal["same", "latest"]
"""The version that runs: the one that ran, or the newest."""


def _start(value: Any) -> Any:
    if isinstance(value, str | int) and not isinstance(value, bool):
        return value
    raise ValueError(sentence("must be 'start', 'failed', or the id or number of a step"))


class _Request(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="ignore", frozen=True)

    @classmethod
    def read(cls, raw: Mapping[str, Any]) -> Self:
        """Raises Invalid."""
        try:
            return cls.model_validate(raw)
        except ValidationError as error:
            raise Invalid(problems_of(error)) from error


class ReplayRequest(_Request):
    """A request to do one execution again."""

    from_: Annotated[Any, AfterValidator(_start)] = Field("start", alias="from")
    """`start`, `failed`, or the id or number of a step."""
    version: VersionChoice = "same"
    payload: JsonObject | None = None
    """A payload instead of the one that it had."""


class ReplaysRequest(_Request):
    """A request to do many executions again: the newest of those that are over and fit."""

    workflow_id: UUID | None = None
    status: Literal["FAILED", "CANCELLED", "COMPLETED"] = "FAILED"
    from_: Literal["start", "failed"] = Field("failed", alias="from")
    version: VersionChoice = "latest"
    since: Time | None = None
    until: Time | None = None
    limit: int = Field(100, ge=1, le=MOST_AT_ONCE)
