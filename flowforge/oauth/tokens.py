"""Tokens, and the answers that bring them, read forgivingly: providers differ in nearly everything but the names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Self
from urllib.parse import parse_qsl

from flowforge import jsonio
from flowforge.jsonio import JsonObject
from flowforge.oauth.errors import OAuthError, Refused
from flowforge.oauth.provider import Provider
from flowforge.oauth.texts import printable

_MOST_FIELDS = 100
_MOST_BYTES = 256 * 1024
_LONGEST_TOKEN = 32 * 1024
_MOST_SCOPES, _LONGEST_SCOPE = 500, 300
_LONGEST_LIFE = timedelta(days=3650)
_MOST_EARLY = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Tokens:
    """What lets a client in, and what gets it another."""

    access: str
    refresh: str | None = None

    def as_text(self) -> str:
        return jsonio.dumps({"access": self.access, "refresh": self.refresh}).decode()

    @classmethod
    def of_text(cls, text: str) -> Self:
        kept = jsonio.loads(text)
        return cls(kept["access"], kept.get("refresh"))


@dataclass(frozen=True, slots=True)
class Times:
    """When tokens end, and from when on they are worth renewing; None where the provider does not say."""

    ends_at: datetime | None
    renew_at: datetime | None

    @classmethod
    def of(cls, life: timedelta | None, asked_at: datetime) -> Self:
        """By the clock of whoever asked: a life is counted from then, whatever the provider's clock says. Renewed a
        fifth of it before the end, at most five minutes."""
        if life is None:
            return cls(None, None)
        return cls(asked_at + life, asked_at + life - min(life / 5, _MOST_EARLY))


@dataclass(frozen=True, slots=True)
class Grant:
    """A provider's answer that holds tokens."""

    tokens: Tokens
    life: timedelta | None
    scopes: tuple[str, ...] | None
    """Those that were granted; None where the answer does not say, which means: those that were asked for."""
    about: JsonObject = field(default_factory=dict, repr=False)
    """The whole answer, for what it tells of who has signed in."""


def read_grant(provider: Provider, status: int, content: bytes) -> Grant:
    """Raises Refused where the provider refuses, OAuthError where the answer cannot be used."""
    answer = read_answer(provider, status, content)
    access = answer.get("access_token")
    if not _is_token(access):
        raise OAuthError(f"{provider.name} gave no token that can be used")
    refresh = answer.get("refresh_token")
    tokens = Tokens(str(access), str(refresh) if _is_token(refresh) else None)
    return Grant(tokens, _life(answer.get("expires_in")), _scopes(answer.get("scope")), answer)


def read_answer(provider: Provider, status: int, content: bytes) -> JsonObject:
    """An answer that is not refused. Some refuse with the status 200. Raises Refused, OAuthError."""
    if status == 429 or status >= 500:
        raise OAuthError(f"{provider.name} answered {status}")
    answer = _parsed(content)
    if answer.get("ok") is False or "error" in answer:  # Slack: {"ok": false, "error": "…"}
        raise _refusal(provider, answer)
    if not 200 <= status < 300:
        raise _failure(provider, status, answer)
    if not answer:
        raise OAuthError(f"{provider.name} answered something else than JSON")
    return answer


def _failure(provider: Provider, status: int, answer: JsonObject) -> OAuthError:
    """Notion: {"code": "invalid_grant", "message": "…"}."""
    code = answer.get("code")
    if isinstance(code, str) and code:
        return Refused(provider.name, code, _text(answer.get("message")))
    return OAuthError(f"{provider.name} answered {status}")


def _refusal(provider: Provider, answer: JsonObject) -> OAuthError:
    error = answer.get("error")
    if isinstance(error, Mapping):  # {"error": {"code": …, "message": …}}
        return Refused(provider.name, _text(error.get("code") or error.get("type")), _text(error.get("message")))
    return Refused(provider.name, _text(error) or "an error without a name", _text(answer.get("error_description")))


def _parsed(content: bytes) -> JsonObject:
    """An object written as JSON or as a form; empty for anything else."""
    if len(content) > _MOST_BYTES:
        return {}
    try:
        answer = jsonio.loads(content)
    except ValueError:
        return _form(content)
    return answer if isinstance(answer, dict) else {}


def _form(content: bytes) -> JsonObject:
    if not content.startswith((b"access_token=", b"error=")):
        return {}
    try:
        return dict(parse_qsl(content.decode(errors="replace"), max_num_fields=_MOST_FIELDS))
    except ValueError:  # more fields
        return {}


def _is_token(value: Any) -> bool:
    """Whether it can stand in a header (RFC 6749, A.12)."""
    return isinstance(value, str) and 0 < len(value) <= _LONGEST_TOKEN and value.isascii() and value.isprintable()


def _life(value: Any) -> timedelta | None:
    """From a number of seconds, also as text. One that is missing, not positive or no number says nothing: such a token
    is used until it is refused."""
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        return None
    if isinstance(value, bool) or not seconds > 0:
        return None
    return timedelta(seconds=min(seconds, _LONGEST_LIFE.total_seconds()))


def _scopes(value: Any) -> tuple[str, ...] | None:
    """From a text, with blanks or commas between them, or a list."""
    written = value.replace(",", " ").split() if isinstance(value, str) else value
    if not isinstance(written, list):
        return None
    scopes = (printable(scope, _LONGEST_SCOPE) for scope in written[:_MOST_SCOPES] if isinstance(scope, str))
    return tuple(dict.fromkeys(scope for scope in scopes if scope)) or None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ("" if value is None else str(value))
