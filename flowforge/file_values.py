"""Files as they stand in the data of workflows: `{id, name, type, size, sha256}`, the content of which lies in the
store of files; or, for a small one that came in, `{name, type, size, sha256, base64}`.

The id alone gives nobody the content: flowforge.files says who may read it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flowforge.jsonio import JsonObject, writable

INLINE_BYTES = 32 * 1024
"""The size up to which a file that comes in stays in the payload."""
ANY_TYPE = "application/octet-stream"
LONGEST_NAME = 255
"""File systems take no longer names."""
LONGEST_LINK_SECONDS = 30 * 24 * 3600
"""A link to a file ends after so many at the latest."""
_LONGEST_TYPE = 255
"""A type and a subtype have at most 127 characters each (RFC 6838, section 4.2)."""
_MARK = "file_"
_MARK_IN_JSON = f'"{_MARK}'.encode()
_ID = re.compile(_MARK + "[0-9a-f]{32}")
_PARTS = frozenset({"name", "type", "size", "sha256"})


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file whose content lies in the store."""

    id: UUID
    name: str
    type: str
    size: int
    """Bytes."""
    sha256: str
    """In hexadecimal digits."""

    def as_json(self) -> JsonObject:
        return {"id": shown_id(self.id), **_described(self)}


@dataclass(frozen=True, slots=True)
class InlineFile:
    """A file whose content stands in the value itself."""

    name: str
    type: str
    content: bytes

    @classmethod
    def named(cls, name: str, type_: str, content: bytes) -> InlineFile:
        """A file as somebody else has named it; `tidy_name` and `tidy_type` say what is left of that."""
        return cls(tidy_name(name), tidy_type(type_), content)

    @property
    def size(self) -> int:
        return len(self.content)

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    def as_json(self) -> JsonObject:
        return {**_described(self), "base64": base64.b64encode(self.content).decode()}


AnyFile = StoredFile | InlineFile


def read_file(value: Any) -> AnyFile | None:
    """The file that a value is; None for any other value."""
    if not isinstance(value, Mapping) or not value.keys() >= _PARTS:
        return None
    id_ = file_id(value.get("id"))
    if id_ is not None:
        name, type_ = visible_name(str(value["name"])), tidy_type(str(value["type"]))
        return StoredFile(id_, name, type_, _size(value), str(value["sha256"]))
    return read_inline(value)


def read_inline(value: Any) -> InlineFile | None:
    """The file that an object with its content in Base64 is, whatever else it has; None for any other value."""
    encoded = value.get("base64") if isinstance(value, Mapping) else None
    if not isinstance(encoded, str):
        return None
    try:
        content = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return None
    type_ = value.get("type") or value.get("contentType") or ANY_TYPE
    return InlineFile(visible_name(str(value.get("name") or "")), tidy_type(str(type_)), content)


def shown_id(id_: UUID) -> str:
    """file_0193a1b2..., as values and addresses have it."""
    return f"{_MARK}{id_.hex}"


def file_id(text: object) -> UUID | None:
    """The id behind `shown_id`; None for any other text."""
    is_id = isinstance(text, str) and _ID.fullmatch(text)
    return UUID(str(text).removeprefix(_MARK)) if is_id else None


def may_hold_files(json: bytes) -> bool:
    """Whether JSON can hold a stored file: quick, so that data without any cost next to nothing."""
    return _MARK_IN_JSON in json


def stored_ids(value: Any) -> set[UUID]:
    """The ids of all stored files in a value."""
    return {found.id for found in stored_files(value)}


def stored_files(value: Any) -> Iterator[StoredFile]:
    """All stored files in a value, in their order; one that stands there twice comes twice."""
    for part in _objects_in(value):
        found = read_file(part) if "id" in part else None
        if isinstance(found, StoredFile):
            yield found


def all_files(value: Any) -> Iterator[AnyFile]:
    """All files in a value, with or without their content, in their order; one that stands there twice comes twice."""
    for part in _objects_in(value):
        found = read_file(part)
        if found is not None:
            yield found


def _objects_in(value: Any) -> Iterator[Mapping[str, Any]]:
    waiting = [value]
    while waiting:
        part = waiting.pop()
        if isinstance(part, Mapping):
            yield part
            waiting.extend(reversed(list(part.values())))
        elif isinstance(part, list | tuple):
            waiting.extend(reversed(part))


def tidy_name(name: str) -> str:
    """The last part of a path, as browsers of old send it, as far as it is visible."""
    return visible_name(name.replace("\\", "/").rsplit("/", 1)[-1])


def visible_name(name: str) -> str:
    """The name without characters that end lines or hide others; of a long one its end."""
    visible = "".join(character for character in writable(name) if character.isprintable())
    return visible.strip()[-LONGEST_NAME:]


def tidy_type(type_: str) -> str:
    """The media type as it was sent, parameters included; ANY_TYPE where it is none that a header can hold."""
    tidy = type_.strip()
    return tidy if "/" in tidy and tidy.isascii() and tidy.isprintable() and len(tidy) <= _LONGEST_TYPE else ANY_TYPE


def _described(file: AnyFile) -> JsonObject:
    return {"name": file.name, "type": file.type, "size": file.size, "sha256": file.sha256}


def _size(value: Mapping[str, Any]) -> int:
    size = value["size"]
    return size if isinstance(size, int) and not isinstance(size, bool) else 0
