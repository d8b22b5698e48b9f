"""Views of connections and named secrets."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from flowforge.jsonio import JsonObject


@dataclass(frozen=True, slots=True)
class ConnectionView:
    """A connection as people may see it: its secrets are masked."""

    id: UUID
    name: str
    type: str
    config: JsonObject
    """Empty where its type does not exist any more, and with it the list of its secret fields."""
    can_be_tested: bool
    tested_at: datetime | None
    problem: str | None
    created_at: datetime
    updated_at: datetime
    is_broken: bool
    """Whether somebody has to sign in with it again."""
    paused_until: datetime | None
    """The end of the pause that its receiver has asked for; None where there is none, or no more."""


@dataclass(frozen=True, slots=True)
class DeviceView:
    """A code that waits to be entered at `url`; `complete_url` holds it already. `interval`: seconds between looks."""

    user_code: str
    url: str
    complete_url: str | None
    interval: int
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class SignInView:
    """The sign-in of a connection. `way`: `browser`, `device` or `client`; `problem`: why it is broken."""

    way: str
    provider: str
    is_signed_in: bool
    identity: str | None
    """Who has signed in, as far as the provider tells."""
    granted: tuple[str, ...]
    missing: tuple[str, ...]
    """Scopes that are wanted and were not granted."""
    ends_at: datetime | None
    is_renewed: bool
    """Whether it goes on by itself after its end."""
    signed_in_at: datetime | None
    problem: str | None
    device: DeviceView | None


@dataclass(frozen=True, slots=True)
class NamedSecretView:
    """A named secret without its value, which nobody but the executor sees."""

    name: str
    updated_at: datetime
