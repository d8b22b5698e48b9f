"""Signing in by a code that a person enters in a browser elsewhere (RFC 8628)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flowforge.oauth.errors import OAuthError
from flowforge.oauth.provider import Provider, is_secure
from flowforge.oauth.texts import printable
from flowforge.oauth.tokens import read_answer

_USUAL_INTERVAL = 5
_LONGEST_INTERVAL = 60
_USUAL_LIFE = 600
_LONGEST_LIFE = 1800


@dataclass(frozen=True, slots=True)
class DeviceCode:
    """`user_code` is entered at `url`; `complete_url` is the address that holds it already, where there is one. Times
    are in seconds."""

    device_code: str
    user_code: str
    url: str
    complete_url: str | None
    interval: int
    life: int


def read_device_code(provider: Provider, status: int, content: bytes) -> DeviceCode:
    """RFC 8628, 3.2. Raises Refused, OAuthError."""
    answer = read_answer(provider, status, content)
    url = answer.get("verification_uri") or answer.get("verification_url")  # Google's name for it
    device_code, user_code = answer.get("device_code"), answer.get("user_code")
    if not (isinstance(device_code, str) and isinstance(user_code, str) and isinstance(url, str) and is_secure(url)):
        raise OAuthError(f"{provider.name} gave no code")
    complete = answer.get("verification_uri_complete")
    return DeviceCode(
        device_code,
        printable(user_code, 100),
        url,
        complete if isinstance(complete, str) and is_secure(complete) else None,
        _seconds(answer.get("interval"), _USUAL_INTERVAL, _LONGEST_INTERVAL),
        _seconds(answer.get("expires_in"), _USUAL_LIFE, _LONGEST_LIFE),
    )


def _seconds(value: Any, usual: int, longest: int) -> int:
    try:
        seconds = int(float(value))
    except (TypeError, ValueError, OverflowError):
        return usual
    return min(seconds, longest) if seconds > 0 else usual
