"""Getting a description from its address, by the client and the address rules of steps."""

from __future__ import annotations

import time
from collections.abc import Callable

from flowforge.api_registry.changes import DescriptionSource
from flowforge.apis.description import Description
from flowforge.apis.document import UnreadableDescription
from flowforge.apis.reading import read_description
from flowforge.connectors.http_client.client import OwnRequest
from flowforge.connectors.sdk import ConnectorError, Download, Response, Tools
from flowforge.errors import Invalid
from flowforge.ids import uuid7
from flowforge.secret_names import change_secrets
from flowforge.secrets import MASK
from flowforge.sentences import Count, message_of, sentence

SECONDS = 20.0
MOST_BYTES = 15_000_000
"""Of one file."""
MOST_DOCUMENTS = 50
"""Further documents that one description may refer to."""


class Fetching:
    """Fetches the documents of one description, all within SECONDS."""

    def __init__(self, tools: Tools) -> None:
        self._http = tools.http
        self._attempt = OwnRequest(time.monotonic() + SECONDS, f"api-{uuid7()}")
        self._left = MOST_DOCUMENTS

    def document(self, address: str) -> bytes:
        """Raises ValueError where it cannot be had: the reader lists what needs it as refused."""
        if self._left == 0:
            raise ValueError(sentence("it refers to more than %(most)s other documents", most=MOST_DOCUMENTS))
        self._left -= 1
        try:
            return self.get(address)
        except ConnectorError as error:
            raise ValueError(message_of(error)) from error

    def get(self, address: str) -> bytes:
        """Raises ConnectorError."""
        headers = {"Accept": "application/json, application/yaml, text/yaml, */*;q=0.5"}
        with Download(_is_ok, MOST_BYTES) as download:
            response = self._http.send(self._attempt, "GET", address, headers=headers, download=download)
            response.raise_for_status("the address")
            if download.content is None:
                return response.content
            download.content.seek(0)
            return download.content.read()


def read_source(source: DescriptionSource, tools: Tools) -> Description:
    """Fetches it where it is an address, and reads it. Raises Invalid, which names the field."""
    fetching = Fetching(tools)
    field = "/address" if source.address else "/file"
    try:
        file = fetching.get(source.address) if source.address else source.file
        if len(file) > MOST_BYTES:
            raise UnreadableDescription(
                sentence("has %(bytes)s bytes; the limit is %(most)s", bytes=Count(len(file)), most=Count(MOST_BYTES))
            )
        return read_description(file, source.address, _of_addresses(source, fetching))
    except (ConnectorError, UnreadableDescription) as error:
        raise Invalid.at(field, message_of(error)) from error


def shown_source(source: DescriptionSource) -> str:
    """Where it comes from, as people may see it: what is secret in an address is masked."""
    return str(change_secrets(source.address, lambda _text, _name: MASK)) if source.address else source.file_name


def _of_addresses(source: DescriptionSource, fetching: Fetching) -> Callable[[str], bytes] | None:
    """A file that was uploaded has no place from which it could refer to others."""
    return fetching.document if source.address else None


def _is_ok(response: Response) -> bool:
    return response.ok
