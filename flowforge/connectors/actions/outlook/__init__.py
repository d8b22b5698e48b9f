"""Outlook by Microsoft Graph: send and find mails, create events."""

from __future__ import annotations

from collections.abc import Sequence

from flowforge.connectors.connection_kinds.oauth2 import OAUTH2
from flowforge.connectors.sdk import Service
from flowforge.jsonio import JsonObject
from flowforge.mail.addresses import Address

OUTLOOK = Service("Outlook", "https://graph.microsoft.com/v1.0", "mail", (OAUTH2,), ("mail", "microsoft", "office"))


def recipients(addresses: Sequence[Address]) -> list[JsonObject]:
    """The addresses as Graph takes them."""
    return [{"emailAddress": {"name": one.name or one.mailbox, "address": one.mailbox}} for one in addresses]
