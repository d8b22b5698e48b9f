"""Trigger kinds and registered triggers as pages show them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flowforge.db.tables import TriggerRegistration
from flowforge.triggers.kind import Address
from flowforge.triggers.kinds import find_kind
from flowforge.triggers.registrations import Triggers, configuration_of

_UNKNOWN_ICON = "manual"


@dataclass(frozen=True, slots=True)
class TriggerCard:
    """A registered trigger as the page of its workflow shows it."""

    row: TriggerRegistration
    summary: str
    times: Sequence[datetime]
    address: Address | None
    command: str | None
    """The line that calls it from a terminal."""
    can_be_tested: bool

    @property
    def is_in_trouble(self) -> bool:
        """Whether its last error came after its last success."""
        row = self.row
        if not row.last_error:
            return False
        return row.last_success_at is None or row.last_error_at is None or row.last_error_at > row.last_success_at


def trigger_card(triggers: Triggers, row: TriggerRegistration, sample: Mapping[str, Any] | None) -> TriggerCard:
    kind = find_kind(row.trigger_type)
    address = kind.address if kind else None
    return TriggerCard(
        row=row,
        summary=kind.describe(triggers.masked(configuration_of(row))) if kind else "",
        times=triggers.fire_times(row),
        address=address,
        command=command_for(address, row, sample),
        can_be_tested=kind is not None and kind.can_be_tested,
    )


def command_for(address: Address | None, row: TriggerRegistration, sample: Mapping[str, Any] | None) -> str | None:
    if address is None or address.command is None or row.webhook_url is None:
        return None
    return address.command(row.webhook_url, sample)


def trigger_name(type_: str | None) -> str:
    """The title of a kind; for one that does not exist, its type."""
    kind = find_kind(type_)
    return kind.title if kind else (type_ or "–").capitalize()


def trigger_icon_name(type_: str | None) -> str:
    kind = find_kind(type_)
    return kind.icon if kind else _UNKNOWN_ICON
