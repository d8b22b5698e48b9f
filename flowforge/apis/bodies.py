"""Bodies of requests, written in their media type."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flowforge import jsonio
from flowforge.apis.body_kinds import BodyKind, body_kind
from flowforge.apis.dialects.media_types import JSON
from flowforge.apis.operation import Body, Encoding
from flowforge.apis.serialisation import encode, encode_reserved_query, text_of, write_pairs
from flowforge.apis.shapes import as_object
from flowforge.file_values import ANY_TYPE, AnyFile, read_file
from flowforge.multipart import end_of_parts, head_of_part, new_boundary

_PLAIN = Encoding()


@dataclass(frozen=True, slots=True)
class BuiltBody:
    """The body of a request; its bytes are those of its parts in their order."""

    type: str
    """Its Content-Type, with parameters."""
    parts: Sequence[bytes | AnyFile]
    """Without files it is one part of bytes."""


def write_body(body: Body, value: Any) -> BuiltBody:
    """The value, which fits the form, in the body's media type."""
    return _WRITERS[body_kind(body)](body, value)


def _write_json(body: Body, value: Any) -> BuiltBody:
    type_ = JSON if "*" in body.type else body.type
    return BuiltBody(type_, [jsonio.dumps(value)])


def _write_form(body: Body, value: Any) -> BuiltBody:
    pairs = [pair for name, inner in as_object(value).items() for pair in _pairs(body, name, inner)]
    return BuiltBody(body.type, ["&".join(pairs).encode()])


def _pairs(body: Body, name: str, value: Any) -> list[str]:
    """One property of a form: lists of plain values are repeated, what is nested further is JSON, unless the file gives
    it a style (OpenAPI 3.1, section 4.8.14.5)."""
    encoding = body.encodings.get(name, _PLAIN)
    encoded = encode_reserved_query if encoding.allow_reserved else encode
    if encoding.style is None and _is_nested(value):
        return [f"{encode(name)}={encode(text_of(value))}"]
    return write_pairs(name, value, encoding.style or "form", encoding.explode, encoded)


def _is_nested(value: Any) -> bool:
    is_list_of_parts = isinstance(value, list) and any(isinstance(member, dict | list) for member in value)
    return isinstance(value, dict) or is_list_of_parts


def _write_text(body: Body, value: Any) -> BuiltBody:
    charset = "; charset=utf-8" if body.type.startswith("text/") and "charset" not in body.type else ""
    return BuiltBody(f"{body.type}{charset}", [text_of(value).encode("utf-8", "replace")])


def _write_file(body: Body, value: Any) -> BuiltBody:
    file = read_file(value)
    if file is None:
        return BuiltBody(_specific(body.type) or ANY_TYPE, [text_of(value).encode("utf-8", "replace")])
    return BuiltBody(_type_of_file(body.type, file), [file])


def _write_multipart(body: Body, value: Any) -> BuiltBody:
    boundary = new_boundary()
    parts = [part for name, inner in as_object(value).items() for part in _parts(body, boundary, name, inner)]
    return BuiltBody(f"{body.type}; boundary={boundary}", _joined([*parts, end_of_parts(boundary)]))


def _parts(body: Body, boundary: str, name: str, value: Any) -> Iterator[bytes | AnyFile]:
    """One property, a list of files or plain values as several parts of the same name."""
    encoding = body.encodings.get(name, _PLAIN)
    several = value if isinstance(value, list) and not _is_nested_without_files(value) else [value]
    for each in several:
        yield from _part(boundary, name, each, encoding)


def _is_nested_without_files(values: list[Any]) -> bool:
    return any(isinstance(value, dict | list) and read_file(value) is None for value in values)


def _part(boundary: str, name: str, value: Any, encoding: Encoding) -> Iterator[bytes | AnyFile]:
    file = read_file(value)
    if file is not None:
        yield head_of_part(boundary, name, file.name or "file", _type_of_file(encoding.content_type, file))
        yield file
    else:
        is_structured = isinstance(value, dict | list)
        type_ = _specific(encoding.content_type) or (JSON if is_structured else None)
        yield head_of_part(boundary, name, None, type_)
        yield text_of(value).encode("utf-8", "replace")
    yield b"\r\n"


def _write_related(body: Body, value: Any) -> BuiltBody:
    """An object and a file (RFC 2387), as Google's APIs take uploads."""
    boundary, given = new_boundary(), as_object(value)
    file = read_file(given.get("file"))
    metadata = [head_of_part(boundary, None, type_=JSON), jsonio.dumps(given.get("metadata") or {}), b"\r\n"]
    content: list[bytes | AnyFile] = [
        head_of_part(boundary, None, type_=file.type if file else ANY_TYPE),
        file or text_of(given.get("file", "")).encode("utf-8", "replace"),
        b"\r\n",
    ]
    return BuiltBody(f"{body.type}; boundary={boundary}", _joined([*metadata, *content, end_of_parts(boundary)]))


def _joined(parts: Sequence[bytes | AnyFile]) -> list[bytes | AnyFile]:
    """The parts with bytes that stand side by side as one."""
    joined: list[bytes | AnyFile] = []
    for part in parts:
        if isinstance(part, bytes) and joined and isinstance(joined[-1], bytes):
            joined[-1] += part
        else:
            joined.append(part)
    return joined


def _type_of_file(declared: str, file: AnyFile) -> str:
    """The file's own type, unless the description allows one only."""
    return _specific(declared) or file.type


def _specific(declared: str) -> str | None:
    """A media type that is one; None for several, any, and none."""
    names_one = "/" in declared and "*" not in declared and "," not in declared
    return declared if names_one and declared != ANY_TYPE else None


_WRITERS: Mapping[BodyKind, Callable[[Body, Any], BuiltBody]] = {
    "json": _write_json,
    "form": _write_form,
    "multipart": _write_multipart,
    "related": _write_related,
    "text": _write_text,
    "file": _write_file,
}
