"""Host names under which the instance answers. Any other is answered 421 (RFC 9110, section 15.5.20).

Otherwise a page elsewhere could have its own name lead here (DNS rebinding) and read what our pages say, and links
could be made from a name that the sender of a request chose.

With WEBHOOK_HOST, what workflows answer has an origin of its own: under that name only what is open to the world is
answered, and under the others nothing of it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import lru_cache
from urllib.parse import urlsplit

from flask import Flask, redirect, request
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as BaseResponse

from flowforge.loopback import is_loopback
from flowforge.settings import Settings

ANY = "*"
_REMEMBERED = 1000
"""Names whose answer is remembered: nearly all requests name the same one."""
OPEN_TO_THE_WORLD = frozenset({"webhooks", "webhook_tests", "forms", "resume", "shared_files"})
"""The blueprints of webapp.intake."""


class MisdirectedRequest(HTTPException):
    code = 421
    description = (
        "this server does not answer under this host name; ALLOWED_HOSTS lists those that it does answer under"
    )


class AllowedHosts:
    """Loopback names and addresses, and the names given: each exact, with a dot in front also what is below it."""

    def __init__(self, names: Collection[str]) -> None:
        self._names = frozenset(host_name(name) for name in names) - {""}
        self._suffixes = tuple(name.lower() for name in names if name.startswith("."))
        self._any = ANY in names

    def admit(self, host: str) -> bool:
        """Whether a request with this `Host`, with or without a port, is answered."""
        name = host_name(host)
        return self._any or name in self._names or f".{name}".endswith(self._suffixes) or is_loopback(name)


def install(app: Flask, settings: Settings) -> None:
    own = f"[{settings.host}]" if ":" in settings.host else settings.host
    allowed = AllowedHosts([*settings.allowed_hosts, own, settings.public_webhook_base])
    admits = lru_cache(_REMEMBERED)(allowed.admit)

    def refuse_other_hosts() -> None:
        if not admits(request.host):
            raise MisdirectedRequest

    app.before_request(refuse_other_hosts)
    if settings.webhook_host:
        app.before_request(_keep_apart(host_name(settings.webhook_host), settings.public_webhook_base))


def _keep_apart(webhook_host: str, webhook_base: str) -> Callable[[], BaseResponse | None]:
    def keep_apart() -> BaseResponse | None:
        is_at_home = host_name(request.host) == webhook_host
        is_open = request.blueprint in OPEN_TO_THE_WORLD
        if is_open and not is_at_home:
            return redirect(webhook_base + request.full_path.removesuffix("?"), 308)
        if is_at_home and not is_open and request.endpoint != "static":
            raise MisdirectedRequest
        return None

    return keep_apart


def host_name(host: str) -> str:
    """The name in `name:port` or in a URL, in lower case; empty where there is none."""
    try:
        return (urlsplit(host if "//" in host else f"//{host}").hostname or "").removesuffix(".")
    except ValueError:
        return ""
