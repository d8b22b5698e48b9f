"""A request with which somebody tries out a webhook: written by hand, pasted as a command line of curl, or made of the
data that came in last."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import parse_qs, urlencode

from flowforge import jsonio
from flowforge.errors import Invalid, Problem, raise_any
from flowforge.jsonio import JsonObject
from flowforge.secrets import MASK
from flowforge.sentences import message_of, sentence
from flowforge.triggers.webhooks.curl import is_curl, read_curl

LONGEST_SHOWN = 100_000
"""Characters of a body that are offered to be edited."""
MOST_HEADERS = 100
_JSON = "application/json"
_FORM = "application/x-www-form-urlencoded"
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,200}")
_WITHOUT_BODY = frozenset({"GET", "HEAD"})
_OF_THE_TRANSPORT = frozenset(
    {"host", "content-length", "connection", "accept", "accept-encoding", "user-agent", "transfer-encoding", "expect"}
)
"""Headers that whoever sends adds by themselves."""


@dataclass(frozen=True, slots=True)
class SampleRequest:
    method: str
    query: str
    """Without the question mark."""
    headers: tuple[tuple[str, str], ...]
    body: str

    @classmethod
    def read(cls, written: Mapping[str, str]) -> Self:
        """Read `method`, `query`, `headers` (a line each) and `body`, which may also be a whole command line of curl.
        Raises Invalid with a pointer to each that cannot be used."""
        body = written.get("body", "").strip()
        if is_curl(body):
            call = read_curl(body)
            return cls(call.method, call.query, call.headers, call.body)._checked()
        method = written.get("method", "").strip().upper() or "POST"
        query = written.get("query", "").strip().removeprefix("?")
        return cls(method, query, _read_headers(written.get("headers", "")), body)._checked()

    @classmethod
    def of_payload(cls, payload: Mapping[str, Any], usual_method: str) -> Self:
        """The request that would bring such a payload, without what was masked in it."""
        headers, query, body = payload.get("headers"), payload.get("queryParams"), payload.get("body")
        sent = headers.items() if isinstance(headers, dict) else ()
        kept = [(name, value) for name, value in sent if isinstance(value, str) and _is_kept(name, value)]
        pairs = {name: value for name, value in query.items() if value != MASK} if isinstance(query, dict) else {}
        text = body if isinstance(body, str) else jsonio.indented(body) if body is not None else ""
        method = payload.get("method")
        return cls(
            method if isinstance(method, str) else usual_method,
            urlencode(pairs, doseq=True),
            tuple(kept),
            text if len(text) <= LONGEST_SHOWN else "{}",
        )

    @property
    def media_type(self) -> str:
        given = next((value for name, value in self.headers if name.lower() == "content-type"), _JSON)
        return given.partition(";")[0].strip().lower()

    @property
    def all_headers(self) -> dict[str, str]:
        """The headers with the media type of the body."""
        return {
            "Content-Type": _JSON,
            **{"Content-Type" if _is_type(name) else name: text for name, text in self.headers},
        }

    @property
    def sends_body(self) -> bool:
        return self.method not in _WITHOUT_BODY

    def payload(self) -> JsonObject:
        """The payload to which it would lead."""
        return {
            "body": self._read_body(),
            "headers": {name.lower(): value for name, value in self.all_headers.items()},
            "queryParams": _pairs(self.query),
            "method": self.method,
        }

    def _read_body(self) -> Any:
        if not self.sends_body or not self.body:
            return {}
        if self._is_json:
            return jsonio.loads(self.body)
        return _pairs(self.body) if self.media_type == _FORM else self.body

    @property
    def _is_json(self) -> bool:
        return self.media_type == _JSON or self.media_type.endswith("+json")

    def _checked(self) -> Self:
        raise_any([*_problems_of_headers(self.headers), *self._problems_of_body()])
        return self

    def _problems_of_body(self) -> list[Problem]:
        if not self.body or not self._is_json:
            return []
        try:
            jsonio.loads(self.body)
        except ValueError as error:
            return [Problem("/body", sentence("is not valid JSON: %(error)s", error=message_of(error)))]
        return []


def _is_type(name: str) -> bool:
    return name.lower() == "content-type"


def _is_kept(name: str, value: str) -> bool:
    return name.lower() not in _OF_THE_TRANSPORT and value != MASK and (not _is_type(name) or value != _JSON)


def _pairs(query: str) -> JsonObject:
    try:
        found = parse_qs(query, keep_blank_values=True, max_num_fields=1_000)
    except ValueError:
        raise Invalid.at("/query", sentence("has more than 1,000 parameters")) from None
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}


def _read_headers(text: str) -> tuple[tuple[str, str], ...]:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    without = next((line for line in lines if ":" not in line), None)
    if without is not None:
        raise Invalid.at(
            "/headers", sentence("must be lines such as “X-Event: created”; “%(line)s” has no colon", line=without[:60])
        )
    return tuple((name.strip(), value.strip()) for name, _, value in (line.partition(":") for line in lines))


def _problems_of_headers(headers: tuple[tuple[str, str], ...]) -> list[Problem]:
    if len(headers) > MOST_HEADERS:
        return [Problem("/headers", sentence("must be at most %(most)s", most=MOST_HEADERS))]
    wrong = next((name for name, value in headers if not _NAME.fullmatch(name) or not _can_be_sent(value)), None)
    return (
        []
        if wrong is None
        else [Problem("/headers", sentence("hold one that cannot be sent: “%(header)s”", header=wrong[:60]))]
    )


def _can_be_sent(value: str) -> bool:
    try:
        value.encode("latin-1")
    except UnicodeEncodeError:
        return False
    return not any(char in value for char in "\r\n\0")
