"""Guard of everything that checks a password, or a code of a second factor: the guesses at one account are counted."""

from __future__ import annotations

import logging
import math
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from flask import Flask, Response, after_this_request, current_app, g, request
from redis.exceptions import RedisError
from werkzeug.exceptions import TooManyRequests

from flowforge.accounts.accounts import WrongPassword
from flowforge.accounts.guesses import FAMILIAR_SECONDS, Guess, Guesses, MustWait, network_of
from flowforge.accounts.refusals import record_refusal
from flowforge.accounts.second_factor import WrongCode
from flowforge.errors import Forbidden
from flowforge.wiring import Backends
from webapp.context import backends, session

log = logging.getLogger(__name__)

_EXTENSION = "flowforge.guesses"
_REFUSALS: dict[type[Exception], str] = {
    WrongPassword: "wrong name or password",
    WrongCode: "wrong code",
    Forbidden: "not allowed",
}
_WRONG = (WrongPassword, WrongCode)


def install(app: Flask, backends: Backends) -> None:
    app.extensions[_EXTENSION] = Guesses(backends.redis)


@contextmanager
def guess_at(username: str, browser: str | None = None) -> Iterator[None]:
    """Let what stands inside check a password of this account, unless there were too many wrong ones: then raises
    TooManyRequests. Whether this one is wrong, an error from inside tells. While Redis is away, nothing is counted."""
    guess = _begin(username, _places(browser))
    try:
        yield
    except Exception as error:
        if guess and not _is_wrong(error):
            _count(Guesses.was_none, guess)
        if reason := _why_refused(error):
            record_refusal(session(), username, reason)
        raise
    if guess:
        _count(Guesses.was_right, guess)


def make_familiar(username: str, browser: str | None = None) -> None:
    """Know this browser and its network from now on: whoever is there has just registered, or holds a link of the
    owner's. Guesses of strangers do not make them wait."""
    try:
        _guesses().make_familiar(username, _places(browser))
    except RedisError as error:
        log.warning("a place is not remembered as its owner's, since Redis is away: %s", error)


def browser_id() -> str:
    """The name by which this browser is known again. It proves nothing, but strangers' guesses do not make it wait."""
    if "browser_id" not in g:
        g.browser_id = request.cookies.get(_browser_cookie()) or secrets.token_urlsafe(18)
        after_this_request(_keep_browser_id)
    known: str = g.browser_id
    return known


def _keep_browser_id(response: Response) -> Response:
    name, secure = _browser_cookie(), request.is_secure
    response.set_cookie(
        name, g.browser_id, FAMILIAR_SECONDS, path="/sign-in", httponly=True, samesite="Lax", secure=secure
    )
    return response


def _browser_cookie() -> str:
    return f"flowforge_browser_{backends().settings.port}"


def _places(browser: str | None) -> Sequence[str]:
    return [*([browser] if browser else []), network_of(request.remote_addr or "")]


def _begin(username: str, places: Sequence[str]) -> Guess | None:
    """None while Redis is away. Raises TooManyRequests."""
    try:
        return _guesses().begin(username, places)
    except MustWait as error:
        seconds = math.ceil(error.seconds)
        message = f"there were too many wrong passwords for this account; please try again in {seconds} s"
        raise TooManyRequests(message, retry_after=seconds) from error
    except RedisError as error:
        log.warning("wrong passwords are not counted, since Redis is away: %s", error)
        return None


def _count(count: Callable[[Guesses, Guess], None], guess: Guess) -> None:
    try:
        count(_guesses(), guess)
    except RedisError as error:
        log.warning("a password is counted as a wrong guess, since Redis is away: %s", error)


def _is_wrong(error: Exception) -> bool:
    return isinstance(error, _WRONG) or isinstance(error.__cause__, _WRONG)


def _why_refused(error: Exception) -> str | None:
    """None for an error that refuses nobody, such as a password that is still to be followed by a code."""
    causes = (error, error.__cause__)
    return next((why for kind, why in _REFUSALS.items() if any(isinstance(cause, kind) for cause in causes)), None)


def _guesses() -> Guesses:
    found: Guesses = current_app.extensions[_EXTENSION]
    return found
