"""Keys that signers publish (JWK Set, RFC 7517), fetched when a token names one that is not known yet."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Any

import jwt

from flowforge import jsonio
from flowforge.connectors.errors import ConnectorError
from flowforge.connectors.http_client.client import HttpClient, OwnRequest
from flowforge.errors import Unavailable
from flowforge.sentences import sentence

_PATIENCE_SECONDS = 5.0
_REST_SECONDS = 60.0
"""The time between two fetches of one set: unknown key ids are sent by strangers, too."""
_KEPT_SECONDS = 24 * 60 * 60.0
_MOST_SETS = 1_000


@dataclass(frozen=True, slots=True)
class _KeySet:
    keys: tuple[jwt.PyJWK, ...]
    fetched_at: float

    def find(self, key_id: str | None) -> jwt.PyJWK | None:
        if key_id is None:
            return self.keys[0] if len(self.keys) == 1 else None
        return next((key for key in self.keys if key.key_id == key_id), None)


class FetchedKeys:
    """`find_http` gives the client, which is needed for nothing but fetching. Safe to share between threads."""

    def __init__(self, find_http: Callable[[], HttpClient]) -> None:
        self._find_http = find_http
        self._sets: dict[str, _KeySet] = {}
        self._tried_at: dict[str, float] = {}
        self._lock = Lock()

    def find(self, url: str, key_id: str | None) -> Any:
        """The key of that id; the only one there is, where none is named. Raises LookupError, and Unavailable where the
        keys cannot be fetched."""
        known = self._known(url)
        found = known.find(key_id) if known else None
        if found is None and self._may_fetch(url):
            known = self._fetch(url)
            found = known.find(key_id)
        if known is None:
            raise Unavailable(sentence("the keys of the signer are not known yet; try again in a moment"))
        if found is None:
            raise LookupError("its key is not among those that the signer publishes")
        return found

    def _known(self, url: str) -> _KeySet | None:
        """None where it was not fetched yet, or too long ago."""
        known = self._sets.get(url)
        return known if known and time.monotonic() - known.fetched_at < _KEPT_SECONDS else None

    def _may_fetch(self, url: str) -> bool:
        """Whether this caller is to fetch the set; notes that it is tried."""
        with self._lock:
            if time.monotonic() - self._tried_at.get(url, -_REST_SECONDS) < _REST_SECONDS:
                return False
            if len(self._tried_at) >= _MOST_SETS:
                self._tried_at.clear()
                self._sets.clear()
            self._tried_at[url] = time.monotonic()
            return True

    def _fetch(self, url: str) -> _KeySet:
        """Raises Unavailable."""
        try:
            answer = self._find_http().send(OwnRequest(time.monotonic() + _PATIENCE_SECONDS, "jwks"), "GET", url)
            written = jsonio.loads(answer.content) if answer.ok else None
        except (ConnectorError, ValueError) as error:
            raise Unavailable(sentence("the keys of the signer cannot be fetched")) from error
        if not isinstance(written, dict):
            raise Unavailable(sentence("the keys of the signer cannot be fetched"))
        found = _KeySet(_read_keys(written), time.monotonic())
        self._sets[url] = found
        return found


def _read_keys(written: dict[str, Any]) -> tuple[jwt.PyJWK, ...]:
    """The public keys; those that cannot be read, or are meant for something else, are left out."""
    try:
        keys = jwt.PyJWKSet.from_dict(written).keys
    except (jwt.PyJWTError, TypeError, ValueError):
        return ()
    return tuple(key for key in keys if key.public_key_use in (None, "sig") and key.key_type != "oct")
