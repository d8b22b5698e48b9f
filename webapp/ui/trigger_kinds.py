"""Trigger kinds and registered triggers as pages show them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flowforge import jsonio
from flowforge.connections.views import ConnectionView
from flowforge.connectors.sdk import CONNECTION
from flowforge.triggers.kind import Address, TriggerKind
from flowforge.triggers.kinds import find_kind
from flowforge.triggers.views import TriggerView
from webapp.translation.texts import lazy, translated
from webapp.ui.trigger_summaries import in_words

OVERLAPS = {
    0: lazy("Not at all"),
    60: lazy("For an hour"),
    24 * 60: lazy("For a day"),
    7 * 24 * 60: lazy("For a week"),
}
"""Minutes for which a former address may go on."""
_LONGEST_TEST_BODY = 4_000
_UNKNOWN_ICON = "manual"


@dataclass(frozen=True, slots=True)
class TriggerCard:
    """A registered trigger as the page of its workflow shows it."""

    trigger: TriggerView
    summary: str
    address: Address | None
    command: str | None
    """The line that calls it from a terminal."""
    test_body: str
    """JSON with which it is called for a test."""
    can_be_tested: bool
    connection_name: str
    """The connection by which it signs in; empty where there is none."""
    connection: ConnectionView | None
    """None also where it is gone."""

    @property
    def waits_for_sign_in(self) -> bool:
        return self.connection is not None and self.connection.is_broken


FindConnection = Callable[[str], ConnectionView | None]


def trigger_card(
    trigger: TriggerView, sample: Mapping[str, Any] | None, find_connection: FindConnection
) -> TriggerCard:
    kind = find_kind(trigger.trigger_type)
    connection_name = str(trigger.configuration.get(CONNECTION, "")) if kind and kind.connection_kinds else ""
    address = kind.address if kind else None
    return TriggerCard(
        trigger=trigger,
        summary=in_words(kind.summary(trigger.configuration)) if kind else "",
        address=address,
        command=command_for(address, trigger.webhook_url, trigger.configuration, sample),
        test_body=_test_body(kind, trigger.configuration, sample),
        can_be_tested=kind is not None and kind.can_be_tested,
        connection_name=connection_name,
        connection=find_connection(connection_name) if connection_name else None,
    )


def _test_body(kind: TriggerKind[Any] | None, config: Mapping[str, Any], sample: Mapping[str, Any] | None) -> str:
    """That of the newest payload, if it is short."""
    given = {**(kind.sample(config) if kind else {}), **(sample or {})}
    text = jsonio.indented(given.get("body", {}))
    return text if len(text) <= _LONGEST_TEST_BODY else "{}"


def command_for(
    address: Address | None, url: str | None, config: Mapping[str, Any], sample: Mapping[str, Any] | None
) -> str | None:
    if address is None or address.command is None or url is None:
        return None
    return address.command(url, config, sample)


def trigger_name(type_: str | None) -> str:
    """The title of a kind; for one that does not exist, its type."""
    kind = find_kind(type_)
    return translated(kind.title) if kind else (type_ or "–").capitalize()


def trigger_icon_name(type_: str | None) -> str:
    kind = find_kind(type_)
    return kind.icon if kind else _UNKNOWN_ICON
