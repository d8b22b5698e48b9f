"""Links that are handed to people. They begin with the configured address, never with the one a request came by: that
is chosen by whoever sends the request."""

from __future__ import annotations

from uuid import UUID

from flowforge.settings import Settings


def invitation(settings: Settings, token: str) -> str:
    return f"{settings.public_webhook_base}/invitations/{token}"


def password_reset(settings: Settings, token: str) -> str:
    return f"{settings.public_webhook_base}/password-resets/{token}"


def second_factor(settings: Settings) -> str:
    return f"{settings.public_webhook_base}/settings/second-factor"


def connection(settings: Settings, connection_id: UUID) -> str:
    return f"{settings.public_webhook_base}/connections/{connection_id}"
