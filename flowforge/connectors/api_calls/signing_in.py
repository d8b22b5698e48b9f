"""How an API wants to know who calls, in the words of a form."""

from __future__ import annotations

from collections.abc import Mapping

from flowforge.apis.sign_ins import SignIn, SignInKind
from flowforge.connectors.api_calls.chosen import Chosen

_WORDS: Mapping[SignInKind, str] = {
    "basic": "user and password",
    "bearer": "a bearer token",
    "digest": "user and password (digest)",
    "oauth2": "OAuth 2.0",
    "client_certificate": "a client certificate",
    "other": "a way of its own",
}
_SILENT = "The description does not say how to sign in."
_MOST = 5


def sign_in_help(chosen: Chosen) -> str:
    """One sentence: the kinds of connections that an operation takes, or that it can be called without."""
    alternatives = chosen.operation.sign_ins
    if not alternatives:
        return _SILENT
    known = chosen.api.description.sign_ins
    ways = [" and ".join(_words(known.get(name), name) for name in names) for names in alternatives if names]
    if not ways:
        return "The API asks for none."
    needed = "may be given" if {} in alternatives else "is asked for"
    said = " or ".join(list(dict.fromkeys(ways))[:_MOST])
    return f"{said[:1].upper()}{said[1:]} {needed}."


def _words(sign_in: SignIn | None, name: str) -> str:
    return name if sign_in is None else kind_in_words(sign_in)


def kind_in_words(sign_in: SignIn) -> str:
    """Such as: an API key (header X-Key)."""
    if sign_in.kind == "api_key":
        return f"an API key ({sign_in.place} {sign_in.parameter})"
    return _WORDS[sign_in.kind]
