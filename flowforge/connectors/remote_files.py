"""Files on other servers: what a step does with them, whatever protocol the server speaks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from mimetypes import guess_type
from pathlib import PurePosixPath
from tempfile import SpooledTemporaryFile
from typing import IO, Any, Literal, Protocol

from pydantic import model_validator

from flowforge import jsonio
from flowforge.connectors.config import ConnectorConfig
from flowforge.connectors.errors import ConnectorError
from flowforge.connectors.files import Content, File, FileAccess
from flowforge.fields import field
from flowforge.file_values import ANY_TYPE
from flowforge.jsonio import JsonObject
from flowforge.sentences import sentence

Operation = Literal["list", "get", "put", "delete", "move"]
READS = ("list", "get")
MOST_LISTED = 10_000
_IN_MEMORY_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Entry:
    """A file or folder on another server."""

    path: str
    is_folder: bool
    size: int | None = None
    """Bytes; None for a folder."""
    modified_at: datetime | None = None

    def as_json(self) -> JsonObject:
        return {
            "path": self.path,
            "name": PurePosixPath(self.path.rstrip("/")).name,
            "folder": self.is_folder,
            "size": self.size,
            "modifiedAt": None if self.modified_at is None else jsonio.format_time(self.modified_at),
        }


class Sink(Protocol):
    """Takes the content of a file, piece by piece."""

    def write(self, data: Any, /) -> int: ...


class RemoteFiles(Protocol):
    """A session with a server that has files. Its methods raise ConnectorError, also for what is not there."""

    def entries(self, folder: str) -> Iterator[Entry]:
        """What is in a folder, not in those below it."""

    def read(self, path: str, target: Sink) -> None:
        """Writes the content of a file to `target`, piece by piece."""

    def write(self, path: str, content: Content) -> None:
        """Replaces the file, if there is one."""

    def make_folder(self, path: str) -> None:
        """Makes a folder in one that is there. One that the server does not let be made, such as one that is there, is
        no error: what is wrong with it is told when something is put into it."""

    def delete(self, path: str) -> None: ...

    def move(self, path: str, target: str) -> None: ...


class RemoteFilesConfig(ConnectorConfig):
    operation: Operation = field("get", title="Operation")
    path: str = field(
        "", title="Path", description="Of the file; for list, of the folder: empty for the topmost.", max_length=1024
    )
    file: File | None = field(None, title="File", description="For put: what is written there.")
    target: str = field("", title="New path", description="For move.", max_length=1024)
    most_files: int = field(
        1_000, title="Maximum files", description="For list: more are an error.", ge=1, le=MOST_LISTED
    )

    @model_validator(mode="after")
    def _require_what_the_operation_needs(self) -> RemoteFilesConfig:
        if self.operation != "list" and not self.path.strip():
            raise ValueError(sentence("path is required for %(operation)s", operation=self.operation))
        if self.operation == "put" and self.file is None:
            raise ValueError(sentence("file is required for put"))
        if self.operation == "move" and not self.target.strip():
            raise ValueError(sentence("target is required for move"))
        if any(character in name for name in (self.path, self.target) for character in "\r\n\0"):
            raise ValueError(sentence("path holds a line break"))
        return self


def carry_out(config: RemoteFilesConfig, remote: RemoteFiles, files: FileAccess) -> JsonObject:
    """The output of a step. Raises ConnectorError."""
    return _RUN[config.operation](config, remote, files)


def _list(config: RemoteFilesConfig, remote: RemoteFiles, files: FileAccess) -> JsonObject:
    del files
    found = list(islice(remote.entries(config.path), config.most_files + 1))
    if len(found) > config.most_files:
        raise ConnectorError(f"mostFiles: there are more than {config.most_files} files in the folder", permanent=True)
    return {"files": [entry.as_json() for entry in found], "count": len(found)}


def _get(config: RemoteFilesConfig, remote: RemoteFiles, files: FileAccess) -> JsonObject:
    with SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES) as content:
        remote.read(config.path, Bounded(content, files.most_bytes, "the file"))
        name = PurePosixPath(config.path).name
        return {"file": files.keep(content, name, guess_type(name)[0] or ANY_TYPE).as_json()}


def _put(config: RemoteFilesConfig, remote: RemoteFiles, files: FileAccess) -> JsonObject:
    if config.file is None:
        raise ConnectorError("file is required for put", permanent=True)
    content = files.content(config.file)
    _make_folders_of(config.path, remote)
    remote.write(config.path, content)
    return {"path": config.path, "size": content.size}


def _delete(config: RemoteFilesConfig, remote: RemoteFiles, files: FileAccess) -> JsonObject:
    del files
    remote.delete(config.path)
    return {"path": config.path}


def _move(config: RemoteFilesConfig, remote: RemoteFiles, files: FileAccess) -> JsonObject:
    del files
    _make_folders_of(config.target, remote)
    remote.move(config.path, config.target)
    return {"path": config.target}


def _make_folders_of(path: str, remote: RemoteFiles) -> None:
    """Makes those that the path goes through."""
    for folder in reversed(PurePosixPath(path).parents):
        if folder.name:
            remote.make_folder(str(folder))


_RUN: Mapping[Operation, Callable[[RemoteFilesConfig, RemoteFiles, FileAccess], JsonObject]] = {
    "list": _list,
    "get": _get,
    "put": _put,
    "delete": _delete,
    "move": _move,
}


class Bounded:
    """Takes so many bytes. Raises ConnectorError for more."""

    def __init__(self, target: IO[bytes], most: int, what: str) -> None:
        self._target = target
        self._left = most
        self._most = most
        self._what = what

    def write(self, data: Any, /) -> int:
        self._left -= len(data)
        if self._left < 0:
            raise ConnectorError(f"{self._what} has more than {self._most} bytes, as one may have", permanent=True)
        return self._target.write(data)
