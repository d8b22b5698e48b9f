"""Configs of triggers whose caller may wait for an answer of the workflow's."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from flowforge.engine.answers import DEFAULT_WAIT_SECONDS, LONGEST_WAIT_SECONDS, Mode
from flowforge.engine.intake import Awaiting
from flowforge.triggers.kind import TriggerConfig

Seconds = Annotated[float, Field(strict=True, ge=1, le=LONGEST_WAIT_SECONDS)]


class AnsweringConfig(TriggerConfig):
    """Says when the caller is answered."""

    respond: Mode = Field(
        "immediately",
        title="Respond",
        description="When the response is sent.",
        json_schema_extra={"group": "Response"},
    )
    respond_timeout: Seconds = Field(
        DEFAULT_WAIT_SECONDS,
        title="Respond timeout",
        description="Maximum wait in seconds; afterwards the caller gets a status URL.",
        json_schema_extra={"group": "Response"},
    )

    @property
    def awaiting(self) -> Awaiting | None:
        """None: the caller is answered at once."""
        return None if self.respond == "immediately" else Awaiting(self.respond, self.respond_timeout)
