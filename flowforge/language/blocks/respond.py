"""RESPOND: answers the caller of a webhook who waits."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import Field

from flowforge.language.block import Block, BlockConfig
from flowforge.summaries import first_of

HeaderName = Annotated[str, Field(pattern=r"^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$")]
"""A token (RFC 9110, 5.1)."""
HeaderValue = Annotated[str, Field(pattern=r"^[\t\x20-\x7e\xa0-\xff]{0,8000}$")]
"""One line of Latin-1 (RFC 9110, 5.5)."""


_ABOUT_THE_ANSWER = re.compile(
    r"access-control-(allow-(headers|methods|origin)|expose-headers|max-age)|age|allow|cache-control|date|deprecation"
    r"|content-(disposition|language|type)|etag|expires|last-modified|link|location|pragma|retry-after|server-timing"
    r"|ratelimit(-(limit|policy|remaining|reset))?|sunset|vary"
)
"""Headers that say something about the answer itself."""
_READ_BY_BROWSERS_AND_PROXIES = re.compile(
    r"x-(accel-.*|content-type-options|dns-prefetch-control|download-options|forwarded-.*|frame-options"
    r"|http-method-override|lighttpd-.*|litespeed-.*|original-.*|permitted-cross-domain-policies|proxy-.*|real-ip"
    r"|request-id|sendfile.*|ua-compatible|webkit-csp|xss-protection)"
)
"""Of the names that begin with `X-`, which are applications' own, those that mean something in between."""


def is_sent(name: str) -> bool:
    """Whether a RESPOND may send this header: not one that acts on the whole origin, which may be the dashboard's
    (`Set-Cookie`, `Clear-Site-Data`, `Strict-Transport-Security`), on the connection, or on a proxy in front."""
    lower = name.lower()
    is_own = lower.startswith("x-") and not _READ_BY_BROWSERS_AND_PROXIES.fullmatch(lower)
    return is_own or bool(_ABOUT_THE_ANSWER.fullmatch(lower))


class RespondConfig(BlockConfig):
    """The answer."""

    status: int = Field(200, title="Status", ge=200, le=599)
    headers: dict[HeaderName, HeaderValue] = Field(
        default_factory=dict,
        title="Headers",
        description="Cookies, and others that act on more than this answer, are left out",
        max_length=50,
    )
    body: Any = Field(None, title="Body", description="Text or a file as it is, anything else as JSON")


BLOCK = Block(
    "RESPOND",
    RespondConfig,
    title="Respond",
    help="Sends the response to the waiting caller of the webhook",
    icon="reply",
    keywords=("answer", "reply", "return", "webhook"),
    summary=first_of("status"),
    output={"status": "the status of the answer"},
    can_be_pinned=False,
)
