"""The hosts that connectors may call where an operator lists them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_ANY_BELOW = "*."


@dataclass(frozen=True, slots=True)
class EgressHosts:
    """Names as an operator writes them: `api.example.com`, `*.example.com` for all below it, or an address."""

    patterns: Sequence[str]

    def allow(self, host: str) -> bool:
        """Whether one of the patterns names the host; without any pattern, every host is allowed."""
        name = _normalise(host)
        return not self.patterns or any(_matches(_normalise(pattern), name) for pattern in self.patterns)


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
