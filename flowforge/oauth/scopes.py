"""Scopes: which of those that were asked for are missing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

_OF_THE_PROTOCOL = frozenset({"openid", "profile", "email", "offline_access", "offline.access", "refresh_token"})
"""Asked for like scopes, but often not named in answers, or by other names."""


def missing_scopes(wanted: Sequence[str], granted: Iterable[str] | None) -> list[str]:
    """Scopes of `wanted` that are not granted; none where the provider does not say what it has granted.

    Microsoft answers `Mail.Read` for `https://graph.microsoft.com/Mail.Read`: the last part of the name counts.
    """
    if granted is None:
        return []
    there = {_short(scope) for scope in granted}
    return [scope for scope in wanted if scope.lower() not in _OF_THE_PROTOCOL and _short(scope) not in there]


def _short(scope: str) -> str:
    return scope.rstrip("/").rpartition("/")[2].lower()
