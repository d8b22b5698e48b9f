"""Answers of servers that have files: XML that lists them, and contents that are not held in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree import ElementTree

from flowforge.connectors.connection_kind import Credentials
from flowforge.connectors.errors import ConnectorError
from flowforge.connectors.http_client.download import Download
from flowforge.connectors.http_client.parameters import Pair
from flowforge.connectors.http_client.response import Response
from flowforge.connectors.http_client.streamed_body import StreamedBody
from flowforge.connectors.remote_files import Sink

_PIECE_BYTES = 256 * 1024


def xml_of(answer: Response) -> ElementTree.Element:
    """Raises ConnectorError for what is no XML in UTF-8, or defines entities, which can grow without bound."""
    try:
        text = answer.content.decode().lstrip()  # a server may send blanks while it works
        if "<!DOCTYPE" in text:
            raise ConnectorError("the server answered XML with definitions of its own: that is not read", True)
        return ElementTree.fromstring(text)  # noqa: S314  (nothing is defined in it)
    except (UnicodeDecodeError, ElementTree.ParseError) as error:
        raise ConnectorError("the server answered what is no XML", permanent=False) from error


def ask_server(
    credentials: Credentials[Any],
    server: str,
    method: str,
    url: str,
    *,
    params: Sequence[Pair] = (),
    headers: Mapping[str, str] | None = None,
    data: bytes | StreamedBody | None = None,
    download: Download | None = None,
) -> Response:
    """The answer to a signed request. `server`: what errors call it. Raises ConnectorError, also for an answer other
    than 2xx."""
    context = credentials.context
    response = context.tools.http.send(
        context, method, url, params=params, headers=headers, data=data, signed_by=credentials, download=download
    )
    response.raise_for_status(server)
    return response


def copy_download(credentials: Credentials[Any], url: str, target: Sink) -> None:
    """Writes what is at the address to `target`. Raises ConnectorError, also for an answer other than 2xx."""
    with Download(lambda response: response.ok, credentials.context.files.most_bytes) as download:
        ask_server(credentials, "the server", "GET", url, download=download)
        if (content := download.content) is not None:
            content.seek(0)
            for piece in iter(lambda: content.read(_PIECE_BYTES), b""):
                target.write(piece)
