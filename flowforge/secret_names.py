"""Secrets known by the name they stand under: in headers, queries and addresses, of configs and of requests."""

from __future__ import annotations

import base64
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

Change = Callable[[str, str], Any]
"""Gives what takes the place of a secret, from its text and its name."""

_SECRET = re.compile(
    "auth(orization|entication|key)|cookie|signature|secret|token|passw|passphrase|hmac|credential|jwt|bearer|sessionid"
    "|(api|app|access|private|signing|subscription|functions|licen[cs]e)key"
)
_SECRET_WORDS = {"auth", "pwd", "pass", "sig", "otp"}
"""Too short to be looked for inside of longer words."""
_HARMLESS = re.compile(
    "(page|next|continuation|sync|skip|max|min|prompt|completion|total)tokens?|tokens?(type|count|limit)"
)
_WORDS = re.compile("[a-z0-9]+")
_LONGEST_NAME = 200

_MARKS = re.compile("([/?#&;])")
_SCHEME = re.compile("[A-Za-z][A-Za-z0-9+.-]{0,20}://")
_OF_USER = "password of "
_LAST_WORD = re.compile(r"^[A-Za-z][\w-]{0,20} +(\S{8,})$")
_COOKIE_VALUE = re.compile(r"=([^;=\s]{8,})(?:;|$)")


class ByName(str):
    """A key of configs that holds secrets by name: in entries of an object, or in the address that stands there."""

    __slots__ = ()


@lru_cache(maxsize=4096)
def is_secret_name(name: str) -> bool:
    """Whether what stands under the name is a secret: `Authorization`, `X-Api-Key`, `access_token`, `apiKey`."""
    if len(name) > _LONGEST_NAME:
        return True
    words = _WORDS.findall(name.lower())
    plain = _HARMLESS.sub("", "".join(words))
    return _SECRET.search(plain) is not None or not _SECRET_WORDS.isdisjoint(words)


def change_secrets(value: Any, change: Change) -> Any:
    """The value with each secret that has a name in it changed: an object's entries, or parameters of an address."""
    if isinstance(value, str):
        return _change_address(value, change)
    if isinstance(value, Mapping):
        return {name: change(str(inner), name) if _is_secret(name, inner) else inner for name, inner in value.items()}
    return value


def secrets_by_name(value: Any) -> Iterator[tuple[str, str]]:
    """The name and the text of each secret that `change_secrets` would change."""
    found: list[tuple[str, str]] = []

    def note(text: str, name: str) -> str:
        found.append((name, text))
        return text

    change_secrets(value, note)
    return iter(found)


def sent_forms(name: str | None, text: str) -> Iterator[str]:
    """The forms in which a receiver may repeat a secret: whole, without its scheme, as a cookie without its name, and a
    password of an address as the header that is made of it (RFC 7617). No name: it is all of a field."""
    yield text
    if name is None:
        return
    yield unquote(text)
    yield from _LAST_WORD.findall(text)
    yield from _COOKIE_VALUE.findall(text)
    if name.startswith(_OF_USER):
        yield base64.b64encode(unquote(f"{name.removeprefix(_OF_USER)}:{text}").encode()).decode()


def _is_secret(name: object, value: Any) -> bool:
    is_text = isinstance(value, str | int | float) and not isinstance(value, bool)
    return is_text and isinstance(name, str) and is_secret_name(name)


def _change_address(address: str, change: Change) -> str:
    """Changes the password before the host, and the parameters whose names are secret, each by what is written there.
    Takes time in proportion to the length."""
    if "=" not in address and "@" not in address:
        return address
    scheme = _SCHEME.match(address)
    before = scheme.group() if scheme else ""
    pieces, numbered = _pieces(address.removeprefix(before)), _numbering(change)
    if before:
        pieces[0] = _change_password(pieces[0], numbered)
    start = next((number for number, piece in enumerate(pieces) if piece in ("?", "#")), len(pieces))
    return before + "".join(pieces[:start] + [_change_parameter(piece, numbered) for piece in pieces[start:]])


def _pieces(text: str) -> list[str]:
    """The text, taken apart at the marks of an address and with them; expressions stay whole."""
    pieces: list[str] = []
    depth = 0
    for part in _MARKS.split(text):
        if depth > 0:
            pieces[-1] += part
        else:
            pieces.append(part)
        depth = max(0, depth + part.count("{{") - part.count("}}"))
    return pieces


def _numbering(change: Change) -> Change:
    """Makes the same change, with a number in the names of those that come again."""
    seen: Counter[str] = Counter()

    def numbered(text: str, name: str) -> Any:
        seen[name] += 1
        return change(text, name if seen[name] == 1 else f"{name} {seen[name]}")

    return numbered


def _change_password(authority: str, change: Change) -> str:
    userinfo, at, host = authority.rpartition("@")
    user, colon, password = userinfo.partition(":")
    return f"{user}:{change(password, _OF_USER + user)}@{host}" if at and colon and password else authority


def _change_parameter(parameter: str, change: Change) -> str:
    name, equals, text = parameter.partition("=")
    is_secret = equals and text and is_secret_name(unquote(name))
    return f"{name}={change(text, unquote(name))}" if is_secret else parameter
