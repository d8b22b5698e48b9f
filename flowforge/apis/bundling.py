"""Descriptions in several files, put together into one.

Every reference to another document becomes one to a copy of it inside (`#/x-documents/…`), so that what is kept is
complete, and nothing has to be fetched when an operation runs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import unquote, urldefrag, urljoin

from flowforge.apis.document import MOST_BYTES, UnreadableDescription, read_document, write_document
from flowforge.apis.references import escape
from flowforge.jsonio import JsonObject

Fetch = Callable[[str], bytes]
"""Gets a document at an address, within whatever rules the caller has for addresses. Raises ValueError or OSError where
it cannot be had."""
KEY = "x-documents"
MOST_DOCUMENTS = 4_000
"""DigitalOcean's description is in 2,700."""
_MOST_FAILURES = 1_000
"""Documents that cannot be had; then the rest is not looked for."""
_EXTERNAL = re.compile(rb'"\$ref":"(?!#)[^"]')


def refers_elsewhere(written: bytes) -> bool:
    """Whether a document, as `write_document` writes it, refers to others."""
    return _EXTERNAL.search(written) is not None


def bundle(document: JsonObject, address: str, fetch: Fetch) -> dict[str, str]:
    """Put the documents it refers to into the document, and tell which could not be had: reason by address."""
    bundling = _Bundling(document, address, fetch)
    bundling.run()
    return bundling.failures


class _Bundling:
    def __init__(self, document: JsonObject, address: str, fetch: Fetch) -> None:
        self._inside: dict[str, Any] = {}
        self._document = document
        self._address = urldefrag(address).url
        self._fetch = fetch
        self._names: dict[str, str] = {self._address: ""}
        self._bytes = 0
        self.failures: dict[str, str] = {}

    def run(self) -> None:
        waiting: list[tuple[Any, str]] = [(self._document, self._address)]
        while waiting:
            document, base = waiting.pop()
            for node in _references(document):
                if len(self.failures) < _MOST_FAILURES:
                    waiting += self._rewrite(node, base)
        if self._inside:
            self._document[KEY] = self._inside

    def _rewrite(self, node: JsonObject, base: str) -> list[tuple[Any, str]]:
        """Make a reference point inside; the documents that came in for it, with their addresses."""
        target, pointer = urldefrag(urljoin(base, node["$ref"]))
        new = [] if target in self._names else self._take_in(target)
        if target in self._names:
            node["$ref"] = f"#{self._names[target]}{unquote(pointer)}"
        return new

    def _take_in(self, target: str) -> list[tuple[Any, str]]:
        if target in self.failures:
            return []
        try:
            document = self._get(target)
        except (ValueError, OSError) as error:
            self.failures[target] = str(error)
            return []
        name = f"d{len(self._names)}"
        self._names[target] = f"/{escape(KEY)}/{name}"
        self._inside[name] = document
        return [(document, target)]

    def _get(self, target: str) -> JsonObject:
        if len(self._names) > MOST_DOCUMENTS:
            raise UnreadableDescription(f"more than {MOST_DOCUMENTS:,} documents")
        document = read_document(self._fetch(target))
        self._bytes += len(write_document(document))
        if self._bytes > MOST_BYTES:
            raise UnreadableDescription(f"all documents together have more than {MOST_BYTES:,} bytes")
        return document


def _references(document: Any) -> Iterator[JsonObject]:
    """The objects with a reference, each once, however often aliases name it."""
    waiting, seen = [document], {id(document)}
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict) and isinstance(node.get("$ref"), str):
            yield node
        for part in _parts(node):
            if id(part) not in seen:
                seen.add(id(part))
                waiting.append(part)


def _parts(node: Any) -> list[Any]:
    values = node.values() if isinstance(node, dict) else node
    return [part for part in values if isinstance(part, dict | list)]
