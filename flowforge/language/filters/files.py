"""Filters that make texts of files, and files of texts."""

from __future__ import annotations

import base64
from typing import Any

from flowforge import charsets
from flowforge.charsets import declared_in
from flowforge.file_values import LONGEST_LINK_SECONDS, InlineFile, StoredFile, read_file, read_inline
from flowforge.jsonio import JsonObject
from flowforge.language.evaluation.meter import Failure, FileAccess, Meter
from flowforge.language.evaluation.values import describe, text, to_text, utf_8, whole
from flowforge.language.filters.registry import NOT_GIVEN, Register

FILE_FILTERS = Register()

_BYTE_NANOSECONDS = 10
_ASCII = ("ascii", "us-ascii")
_NO_ACCESS = "a file can be used like this in the config of an action, such as a TRANSFORM before this one"
_LINK_SECONDS = range(1, LONGEST_LINK_SECONDS + 1)
_LINK_NANOSECONDS = 1_000_000
"""Finding a file in the database, or noting a new one there."""


@FILE_FILTERS.add("text")
def text_(meter: Meter, value: Any, charset: Any = NOT_GIVEN) -> str:
    """The text in a file, in the charset that is given or that its type names; else UTF-8, or windows-1252."""
    file = _file(value, "text")
    declared = declared_in(file.type) if charset is NOT_GIVEN else _charset(charset)
    content = content_of(meter, file)
    meter.memory(4 * len(content))
    return charsets.decode(content, declared)


@FILE_FILTERS.add("to_file")
def to_file(meter: Meter, value: Any, name: Any, type: Any = "text/plain; charset=utf-8") -> JsonObject:  # noqa: A002
    """A file made of a text, or of what has its content in Base64; anything else is written as JSON."""
    inline = read_inline(value)
    content = inline.content if inline is not None else utf_8(to_text(value, meter))
    meter.work(len(content) * _BYTE_NANOSECONDS)
    meter.memory(2 * len(content))
    return InlineFile.named(text(name, "to_file"), text(type, "to_file"), content).as_json()


@FILE_FILTERS.add("link", publishes=True)
def link(meter: Meter, value: Any, seconds: Any = 3600) -> str:
    """An address at which anybody can read a file, until it ends after so many seconds, at most 30 days."""
    file, lasts = _file(value, "link"), whole(seconds, "link", _LINK_SECONDS)
    kept = file.size if isinstance(file, InlineFile) else 0
    meter.work(_LINK_NANOSECONDS + kept * _BYTE_NANOSECONDS)
    return _access(meter).link(file, lasts)


def base64_of_file(meter: Meter, value: Any) -> str | None:
    """The content of a file in Base64; None for a value that is no file."""
    file = read_file(value)
    if file is None:
        return None
    content = content_of(meter, file)
    meter.memory(2 * len(content))
    return base64.b64encode(content).decode()


def content_of(meter: Meter, file: StoredFile | InlineFile) -> bytes:
    """Raises Failure for a file that is too large, or cannot be read here."""
    meter.work(file.size * _BYTE_NANOSECONDS)
    meter.memory(file.size)
    if isinstance(file, InlineFile):
        return file.content
    return _access(meter).read(file)


def _access(meter: Meter) -> FileAccess:
    if meter.files is None:
        raise Failure(_NO_ACCESS)
    return meter.files


def _charset(given: Any) -> str:
    name = text(given, "text")
    if charsets.codec_of(name) is None and name.lower() not in _ASCII:
        raise Failure("text: there is no such charset")
    return name


def _file(value: Any, purpose: str) -> StoredFile | InlineFile:
    file = read_file(value) or read_inline(value)
    if file is None:
        raise Failure(f"{purpose} needs a file, not {describe(value)}")
    return file
