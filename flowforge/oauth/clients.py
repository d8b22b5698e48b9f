"""Clients that an operator has registered with providers once, for everybody on the instance."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from flowforge import jsonio
from flowforge.oauth.provider import Client

_SHAPE = 'must be JSON, {"google": {"clientId": "…", "clientSecret": "…"}}, or the path of a file that holds it'


def read_clients(text: str) -> Mapping[str, Client]:
    """By the preset of the provider. `text`: JSON, or the path of a file with it. Raises ValueError, which quotes no
    secret."""
    stripped = text.strip()
    if not stripped:
        return {}
    try:
        written = jsonio.loads(stripped if stripped.startswith("{") else Path(stripped).read_bytes())
        return {
            preset: Client(client["clientId"], client.get("clientSecret", "")) for preset, client in written.items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise ValueError(_SHAPE) from None
