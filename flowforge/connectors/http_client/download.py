"""The body of an answer that is written to a temporary file as it comes, instead of being held in memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from email.message import Message
from tempfile import SpooledTemporaryFile
from types import TracebackType
from typing import IO, Self
from urllib.parse import unquote, urlsplit

from flowforge.charsets import declared_in
from flowforge.connectors.http_client.response import Response
from flowforge.media_types import is_text, media_type_of

_IN_MEMORY_BYTES = 1024 * 1024


class Download:
    """Takes the body of an answer whose head it wants: `content`; None where it did not."""

    most_held = _IN_MEMORY_BYTES
    """The most bytes of a body that it holds in memory."""

    def __init__(self, wants: Callable[[Response], bool], most_bytes: int) -> None:
        self.wants = wants
        """Whether it takes the body of an answer, by its status and headers."""
        self.most_bytes = most_bytes
        """The most that a body may have."""
        self.content: IO[bytes] | None = None

    def begin(self) -> None:
        """Its body comes now."""
        self.content = SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES)  # noqa: SIM115  (closed by `close`)

    def add(self, piece: bytes) -> None:
        """Writes the next piece."""
        assert self.content is not None
        self.content.write(piece)

    def as_text(self, response: Response) -> Response | None:
        """The response with its content, where that is text, and not too large to be held; None for a file."""
        if self.content is None or self.content.seek(0, 2) > _IN_MEMORY_BYTES:
            return None
        self.content.seek(0)
        data = self.content.read()
        content_type = response.headers.get("content-type", "")
        is_one = is_text(data, media_type_of(content_type), declared_in(content_type))
        return replace(response, content=data) if is_one or not data else None

    def close(self) -> None:
        """Lets go of the body that it has taken, if any."""
        if self.content is not None:
            self.content.close()
        self.content = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def name_of(headers: Mapping[str, str], url: str) -> str:
    """The name under which an answer is to be kept: its own (RFC 6266), else the last part of the address."""
    head = Message()
    head["Content-Disposition"] = headers.get("content-disposition", "")
    own = head.get_filename("")
    return own or unquote(urlsplit(url).path.rsplit("/", 1)[-1]) or "download"
