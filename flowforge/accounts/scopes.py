"""Scopes: what a personal access token allows. Whoever signs in has all of them."""

from __future__ import annotations

from enum import StrEnum


class Scope(StrEnum):
    READ = "read"
    """See workflows, executions, logs; dry runs, which call nobody."""
    RUN = "run"
    """Start, cancel and replay executions; try out steps, connections and triggers."""
    WRITE = "write"
    """Change workflows, triggers, connections, secrets."""
    ADMIN = "admin"
    """Change the account itself and, for administrators, those of others."""


ALL = frozenset(Scope)
USUAL = frozenset({Scope.READ, Scope.RUN, Scope.WRITE})
"""Scopes of a token for which none are named."""
