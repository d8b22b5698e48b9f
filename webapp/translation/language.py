"""The language of a request: the one that the account has chosen, else the browser's, else English."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from flask import after_this_request, g, has_request_context, request
from werkzeug.wrappers import Response

from flowforge.languages import ENGLISH, languages

COOKIE = "language"
"""The choice of an account, for the pages on which nobody is signed in."""
_YEAR_SECONDS = 365 * 24 * 3600


def current() -> str:
    """The language's tag; English outside of requests."""
    if not has_request_context():
        return ENGLISH
    found: str | None = g.get("language")
    if found is None:
        found = g.language = _chosen() or _wanted_by_browser()
        after_this_request(_depend_on_cookie)
    return found


def direction() -> str:
    """The direction in which the current language is written, for the attribute `dir`."""
    return _direction(current())


def choose(language: str) -> None:
    """Sets the account's new choice for the rest of the request; an empty one is the browser's."""
    g.language = language or _wanted_by_browser()


def kept(response: Response, language: str) -> Response:
    """The answer, by which the browser keeps the choice for pages on which nobody is signed in."""
    response.set_cookie(
        COOKIE, language, max_age=_YEAR_SECONDS, secure=request.is_secure, httponly=True, samesite="Lax"
    )
    return response


def names() -> Mapping[str, str]:
    """The languages that there are, each by its own name."""
    from babel import Locale

    return {tag: str(Locale.parse(tag, sep="-").display_name).capitalize() for tag in languages()}


def _depend_on_cookie(response: Response) -> Response:
    response.vary.add("Cookie")
    return response


@cache
def _direction(language: str) -> str:
    if language == ENGLISH:
        return "ltr"
    from babel import Locale  # 0.1 s, for those alone who use it

    return str(Locale.parse(language, sep="-").text_direction)


def _chosen() -> str | None:
    """The account's language; while nobody is signed in, the one that was chosen in this browser.

    Whoever is signed in was loaded before a page is rendered: a page about an error does not ask the database for it.
    """
    user = g.get("_login_user")  # Flask-Login's
    chosen = getattr(user, "language", request.cookies.get(COOKIE))
    return chosen if chosen in languages() else None


def _wanted_by_browser() -> str:
    """The language that people have set first of those that there are (RFC 4647, section 3.4)."""
    wanted = [tag.lower() for tag in request.accept_languages.values()]
    found = (tag for one in wanted for tag in (one, one.partition("-")[0]) if tag in languages())
    return next(found, ENGLISH)
