"""Database addresses as Java writes them (pgJDBC), which the Spring version's settings hold."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode

_RENAMED = {
    "ApplicationName": "application_name",
    "channelBinding": "channel_binding",
    "connectTimeout": "connect_timeout",
    "gssEncMode": "gssencmode",
}
_SHARED = ("user", "password", "sslmode", "sslcert", "sslkey", "sslrootcert")
"""The parameters that pgJDBC and libpq both know. What is in neither list is about the Java driver itself."""


def to_libpq(url: str, credentials: str) -> str:
    """Returns the address as PostgreSQL's own client takes it.

    `credentials` (`user:password`, quoted) are used where the address names no user.
    """
    place, _, parameters = url.removeprefix("jdbc:").removeprefix("postgresql:").partition("?")
    place = place.removeprefix("//") if place.startswith("//") else f"localhost/{place}"
    query = {_RENAMED.get(name, name): value for name, value in parse_qsl(parameters)}
    known = {name: value for name, value in query.items() if name in _SHARED or name in _RENAMED.values()}
    who = "" if "@" in place or "user" in known else f"{credentials}@"
    return f"postgresql://{who}{place}" + (f"?{urlencode(known)}" if known else "")


def parameters_to_libpq(parameters: str) -> str:
    """Writes parameters under libpq's names; those that have one already stay as they are."""
    return urlencode([(_RENAMED.get(name, name), value) for name, value in parse_qsl(parameters)])
