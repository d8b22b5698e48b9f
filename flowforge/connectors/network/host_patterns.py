"""Patterns of hosts: those that connectors may call, and those that the secrets of a connection are sent to."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from flowforge.sentences import sentence

_ANY_BELOW = "*."
_PATTERN = re.compile(r"(\*\.)?[^\s/@*:?#\\,]+|\[?[0-9a-fA-F:.]+\]?")


@dataclass(frozen=True, slots=True)
class HostPatterns:
    """Names as people write them: `api.example.com`, `*.example.com` for all below it, or an address."""

    patterns: Sequence[str]

    def allow(self, host: str) -> bool:
        """Whether one of the patterns names the host; without any pattern, every host is allowed."""
        name = _normalise(host)
        return not self.patterns or any(_matches(_normalise(pattern), name) for pattern in self.patterns)


EVERY_HOST = HostPatterns(())


def require_pattern(pattern: str) -> str:
    """The pattern, without the blanks around it. Raises ValueError for what names no host, such as an address with its
    scheme."""
    if not _PATTERN.fullmatch(pattern.strip()):
        raise ValueError(
            sentence("must be the name of a host, such as api.example.com, or *.example.com for all below it")
        )
    return pattern.strip()


def _matches(pattern: str, name: str) -> bool:
    if pattern.startswith(_ANY_BELOW):
        return name.endswith(pattern.removeprefix("*")) and name != pattern.removeprefix("*")
    return name == pattern


def _normalise(host: str) -> str:
    """The name in one spelling: small letters, no brackets around an address, no dot at the end, ASCII (RFC 5891)."""
    name = host.strip().strip("[]").rstrip(".").lower()
    return name if name.isascii() else _in_ascii(name)


def _in_ascii(name: str) -> str:
    try:
        return name.encode("idna").decode()
    except UnicodeError:
        return name
