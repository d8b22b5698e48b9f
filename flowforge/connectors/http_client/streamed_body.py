"""Bodies of requests that are read while they are sent: files, alone or in a multipart form."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from flowforge.connectors.files import Content


@dataclass(frozen=True, slots=True)
class StreamedBody:
    """A body of known size; each iteration sends it anew, as a redirect or a renewed signature needs it."""

    type: str
    """Its Content-Type."""
    parts: Sequence[bytes | Content]

    def __len__(self) -> int:
        return sum(len(part) if isinstance(part, bytes) else part.size for part in self.parts)

    def __iter__(self) -> Iterator[bytes]:
        for part in self.parts:
            if isinstance(part, bytes):
                yield part
            else:
                yield from part.pieces()


def body_of(file: Content) -> StreamedBody:
    return StreamedBody(file.type, (file,))


def multipart(fields: Sequence[tuple[str, str]], files: Mapping[str, Sequence[Content]]) -> StreamedBody:
    """A form with files (RFC 7578): first the fields, then the files, in their order."""
    boundary = secrets.token_hex(16)
    parts: list[bytes | Content] = [_field(boundary, name, value) for name, value in fields]
    for name, contents in files.items():
        for content in contents:
            parts += [_head(boundary, name, content), content, b"\r\n"]
    parts.append(f"--{boundary}--\r\n".encode())
    return StreamedBody(f"multipart/form-data; boundary={boundary}", tuple(parts))


def _field(boundary: str, name: str, value: str) -> bytes:
    return f"--{boundary}\r\nContent-Disposition: form-data; name={_quoted(name)}\r\n\r\n{value}\r\n".encode()


def _head(boundary: str, name: str, content: Content) -> bytes:
    disposition = f"form-data; name={_quoted(name)}; filename={_quoted(content.name)}"
    return f"--{boundary}\r\nContent-Disposition: {disposition}\r\nContent-Type: {content.type}\r\n\r\n".encode()


def _quoted(name: str) -> str:
    """The name between quotes, as forms have it (HTML Standard, section 4.10.22.8)."""
    escapes = {'"': "%22", "\r": "%0D", "\n": "%0A"}
    escaped = re.sub('["\r\n]', lambda found: escapes[found[0]], name)
    return f'"{escaped}"'
