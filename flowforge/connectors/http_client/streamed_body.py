"""Bodies of requests that are read while they are sent: files, alone or in a multipart form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from flowforge import jsonio
from flowforge.connectors.files import Content
from flowforge.jsonio import JsonObject
from flowforge.multipart import end_of_parts, head_of_part, new_boundary


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
    boundary = new_boundary()
    parts: list[bytes | Content] = [head_of_part(boundary, name) + f"{value}\r\n".encode() for name, value in fields]
    for name, contents in files.items():
        for content in contents:
            parts += [head_of_part(boundary, name, content.name, content.type), content, b"\r\n"]
    parts.append(end_of_parts(boundary))
    return StreamedBody(f"multipart/form-data; boundary={boundary}", tuple(parts))


def related(metadata: JsonObject, content: Content) -> StreamedBody:
    """A file after what there is to say of it, as APIs of Google take both (multipart/related, RFC 2387)."""
    boundary = new_boundary()
    head = head_of_part(boundary, None, type_="application/json; charset=UTF-8") + jsonio.dumps(metadata) + b"\r\n"
    parts = (head, head_of_part(boundary, None, type_=content.type), content, b"\r\n", end_of_parts(boundary))
    return StreamedBody(f"multipart/related; boundary={boundary}", parts)
