"""Cookies that an execution keeps from one request to the next (RFC 6265).

Which of them go where is for Python's own jar to say: by domain, path, expiry and `Secure`. Between steps they travel
as JSON, in the output of the step that received them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from email.message import Message
from http.cookiejar import Cookie, DefaultCookiePolicy
from typing import Any, Self

import requests
from requests.cookies import MockRequest, MockResponse, RequestsCookieJar, create_cookie, get_cookie_header
from requests.structures import CaseInsensitiveDict

from flowforge.connectors.http_client.request import Request
from flowforge.jsonio import JsonObject

_HEADER = "Cookie"
_MOST_COOKIES = 1_000
_LONGEST_COOKIE = 4_096
"""Characters of name and value. Browsers have such bounds, too (RFC 6265, section 6.1)."""
_TEXTS = ("name", "value", "domain", "path")


class _Policy(DefaultCookiePolicy):
    """Python's own, which takes nothing for all of a country's shops (`Domain=co.uk`) here, nor without bounds."""

    def __init__(self, jar: RequestsCookieJar) -> None:
        super().__init__(strict_domain=True)
        self._jar = jar

    def set_ok(self, cookie: Cookie, request: Any) -> bool:
        is_short = len(cookie.name) + len(cookie.value or "") <= _LONGEST_COOKIE
        return is_short and len(self._jar) < _MOST_COOKIES and super().set_ok(cookie, request)


class Cookies:
    """The cookies of one step's requests, redirects included."""

    def __init__(self, cookies: Iterable[Cookie] = ()) -> None:
        self._jar = RequestsCookieJar()
        self._jar.set_policy(_Policy(self._jar))
        for cookie in cookies:
            self._jar.set_cookie(cookie)

    @classmethod
    def read(cls, kept: Any) -> Self:
        """Those of `as_json`; what is not like them is left out."""
        return cls(_cookie(one) for one in kept if _is_cookie(one)) if isinstance(kept, list) else cls()

    def added_to(self, request: Request) -> Request:
        """The request with those that belong to its address, after what it has itself."""
        own = request.header(_HEADER)
        kept = get_cookie_header(self._jar, _asked(request))  # type: ignore[no-untyped-call]
        both = "; ".join(part for part in (own, kept) if part)
        return request.with_headers({_HEADER: both}) if both else request

    def take(self, request: Request, set_cookie: Sequence[str]) -> None:
        """Take what the answer to the request sets, and forget what it ends. `set_cookie`: the values of its headers of
        that name."""
        head = Message()
        for value in set_cookie:
            head["Set-Cookie"] = value
        answer: Any = MockResponse(head)
        asked: Any = MockRequest(_asked(request))
        self._jar.extract_cookies(answer, asked)

    def as_json(self) -> list[JsonObject]:
        self._jar.clear_expired_cookies()
        return [_as_json(cookie) for cookie in self._jar]


def _asked(request: Request) -> requests.PreparedRequest:
    """The request as the jar reads it: its address, and the host that it names."""
    asked = requests.PreparedRequest()
    asked.url, asked.headers = request.url, CaseInsensitiveDict()
    host = request.header("Host")
    if host:
        asked.headers["Host"] = host
    return asked


def _is_cookie(kept: Any) -> bool:
    return isinstance(kept, Mapping) and all(_is_line(kept.get(name)) for name in _TEXTS)


def _is_line(value: Any) -> bool:
    return isinstance(value, str) and value.isprintable()


def _cookie(kept: Mapping[str, Any]) -> Cookie:
    expires = kept.get("expires")
    cookie: Cookie = create_cookie(  # type: ignore[no-untyped-call]
        **{name: kept[name] for name in _TEXTS},
        secure=kept.get("secure") is True,
        expires=expires if type(expires) is int else None,
        rest={},
    )
    cookie.domain_specified = kept.get("hostOnly") is not True
    return cookie


def _as_json(cookie: Cookie) -> JsonObject:
    return {
        "name": cookie.name,
        "value": cookie.value or "",
        "domain": cookie.domain,
        "path": cookie.path,
        "hostOnly": not cookie.domain_specified,
        "secure": cookie.secure,
        "expires": cookie.expires,
    }
