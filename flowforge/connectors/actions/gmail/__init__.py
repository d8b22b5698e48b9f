"""Gmail: send, search, read and label mails."""

from __future__ import annotations

from flowforge.connectors.connection_kinds.jwt import JWT
from flowforge.connectors.connection_kinds.oauth2 import OAUTH2
from flowforge.connectors.sdk import Service

GMAIL = Service("Gmail", "https://gmail.googleapis.com", "mail", (OAUTH2, JWT), ("google", "mail"))
ME = "/gmail/v1/users/me"
