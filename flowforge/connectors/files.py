"""Files as connectors take, read and keep them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO, Annotated, Any, Protocol

from pydantic import BeforeValidator, PlainValidator, WithJsonSchema

from flowforge.connectors.errors import ConnectorError
from flowforge.file_values import AnyFile, InlineFile, StoredFile, read_file, read_inline
from flowforge.sentences import sentence

_NO_FILES = "only a step of a workflow has files"


@dataclass(frozen=True, slots=True)
class Content:
    """A file that can be read, any number of times."""

    name: str
    type: str
    size: int
    """Bytes."""
    pieces: Callable[[], Iterator[bytes]]
    """Begins to read it; what is held of it at once does not grow with its size."""

    @classmethod
    def of_inline(cls, file: InlineFile) -> Content:
        return cls(file.name, file.type, file.size, lambda: iter((file.content,)))


class FileAccess(Protocol):
    """The files that a step may use."""

    @property
    def most_bytes(self) -> int:
        """The limit on one file."""

    def content(self, file: AnyFile) -> Content:
        """Raises ConnectorError for a file that is not this execution's, or is not kept any more."""

    def keep(self, source: IO[bytes], name: str, type_: str) -> StoredFile:
        """Makes a file of all that `source` holds, which can `seek`. Raises ConnectorError where it is too large."""


class NoFiles:
    """For contexts that belong to no step."""

    most_bytes = 0

    def content(self, file: AnyFile) -> Content:
        if isinstance(file, InlineFile):
            return Content.of_inline(file)
        raise ConnectorError(_NO_FILES, permanent=True)

    def keep(self, source: IO[bytes], name: str, type_: str) -> StoredFile:
        raise ConnectorError(_NO_FILES, permanent=True)


def _file(value: Any) -> AnyFile:
    if isinstance(value, StoredFile | InlineFile):
        return value
    found = read_file(value) or read_inline(value)
    if found is None:
        raise ValueError(sentence("must be a file, such as the body of a download or an upload"))
    return found


def _source(value: Any) -> Any:
    if isinstance(value, str):
        return InlineFile("text.txt", "text/plain; charset=utf-8", value.encode("utf-8", "replace"))
    try:
        return _file(value)
    except ValueError as error:
        raise ValueError(sentence("must be a text or a file")) from error


def _as_list(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


File = Annotated[StoredFile | InlineFile, PlainValidator(_file), WithJsonSchema({"type": "string"})]
"""A file in a config: what a webhook, a form, a mail or another step has given."""
Files = Annotated[list[File], BeforeValidator(_as_list), WithJsonSchema({"type": "string"})]
"""A file, or a list of them."""
Source = Annotated[StoredFile | InlineFile, PlainValidator(_source), WithJsonSchema({"type": "string"})]
"""A file, or a text that is taken for the content of one."""
