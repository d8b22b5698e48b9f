"""Tokens of webhooks and forms are looked up before anything that came with them is read: what strangers send costs one
small query each, and only so many of them.

A token that was found once is remembered in the web process with the configuration of its trigger, so that its calls
cost no query. What is done for a call is still decided by the statement that stores it: where the trigger has changed
by then, the token is looked up anew.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

from flask import Flask, current_app, request
from werkzeug.exceptions import TooManyRequests

from flowforge.accounts.guesses import network_of
from flowforge.engine import intake
from flowforge.engine.intake import KnownToken
from webapp.context import backends
from webapp.intake.calls import Calls

MOST_UNKNOWN, PER_SECONDS = 60, 60
"""Unknown tokens that one network may ask for in so many seconds."""
_REMEMBERED = 10_000
_EXTENSION = "flowforge.known_tokens"
_UNKNOWN_EXTENSION = "flowforge.unknown_tokens"


class KnownTokens:
    """The tokens that were found last. Safe to share between threads."""

    def __init__(self, most: int = _REMEMBERED) -> None:
        self._most = most
        self._tokens: OrderedDict[str, KnownToken] = OrderedDict()
        self._lock = Lock()

    def find(self, token: str) -> KnownToken | None:
        return self._tokens.get(token)

    def remember(self, token: str, known: KnownToken) -> None:
        with self._lock:
            self._tokens[token] = known
            if len(self._tokens) > self._most:
                self._tokens.popitem(last=False)

    def forget(self, token: str) -> None:
        with self._lock:
            self._tokens.pop(token, None)


def install(app: Flask, clock: Callable[[], float] = time.monotonic) -> None:
    app.extensions[_EXTENSION] = KnownTokens()
    app.extensions[_UNKNOWN_EXTENSION] = Calls(MOST_UNKNOWN, PER_SECONDS, clock)


def find(trigger_type: str, token: str) -> KnownToken | None:
    """The token as it was when it was last looked up; None where no trigger of that type has it. Raises TooManyRequests
    for a caller who has asked for too many of these, and Unavailable."""
    remembered = _known().find(token)
    if remembered is not None and not remembered.has_ended:
        return remembered
    _refuse_guessing()
    return look_up(trigger_type, token)


def look_up(trigger_type: str, token: str) -> KnownToken | None:
    """The token as it is now; one that no trigger of that type has counts against the caller. Raises Unavailable."""
    found = intake.find_token(backends().engine, trigger_type, token)
    if found is None:
        _known().forget(token)
        _unknown().count(_caller())
    else:
        _known().remember(token, found)
    return found


def _refuse_guessing() -> None:
    wait = _unknown().wait(_caller())
    if wait > 0:
        message = "too many addresses that lead nowhere were called from here; please wait a moment"
        raise TooManyRequests(message, retry_after=max(1, round(wait)))


def _caller() -> str:
    return network_of(request.remote_addr or "")


def _known() -> KnownTokens:
    found: KnownTokens = current_app.extensions[_EXTENSION]
    return found


def _unknown() -> Calls:
    found: Calls = current_app.extensions[_UNKNOWN_EXTENSION]
    return found
