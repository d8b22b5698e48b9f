"""RESPOND: answers the caller of a webhook who waits."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from flowforge.language.block import Block, BlockConfig
from flowforge.summaries import first_of


def _as_text(value: Any) -> Any:
    """Turn a number, which an expression may give, into text."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


HeaderName = Annotated[str, Field(pattern=r"^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$")]
"""A token (RFC 9110, 5.1)."""
HeaderValue = Annotated[str, BeforeValidator(_as_text), Field(pattern=r"^[\t\x20-\x7e\xa0-\xff]{0,8000}$")]
"""One line of Latin-1 (RFC 9110, 5.5)."""


class RespondConfig(BlockConfig):
    """The answer."""

    status: int = Field(200, title="Status", ge=200, le=599)
    headers: dict[HeaderName, HeaderValue] = Field(default_factory=dict, title="Headers", max_length=50)
    body: Any = Field(None, title="Body", description="Text as it is, anything else as JSON")


BLOCK = Block(
    "RESPOND",
    RespondConfig,
    title="Respond",
    help="Answers the caller of the webhook, who waits",
    icon="reply",
    keywords=("answer", "reply", "return", "webhook"),
    summary=first_of("status"),
    output={"status": "the status of the answer"},
    can_be_pinned=False,
)
