"""STOP: ends the execution."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from flowforge.fields import field
from flowforge.language.block import Block, BlockConfig
from flowforge.summaries import first_of


class StopConfig(BlockConfig):
    """The way the execution ends, its message and its result."""

    status: Literal["completed", "failed"] = Field("completed", title="End as")
    message: str | None = field(None, multiline=True, title="Message", max_length=2_000)
    output: Any = Field(None, title="Result", description="Returned to the calling workflow")


BLOCK = Block(
    "STOP",
    StopConfig,
    title="Stop",
    help="Ends the execution here as Completed or Failed",
    icon="stop",
    keywords=("end", "exit", "fail"),
    summary=first_of("message", "status", "output"),
    can_be_pinned=False,
)
