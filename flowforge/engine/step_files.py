"""The files of one attempt of a step: those that its execution holds, and those that it makes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import IO
from uuid import UUID

from flowforge.connectors.files import Content
from flowforge.connectors.sdk import ConnectorError
from flowforge.errors import NotFound, OverQuota, TooLarge
from flowforge.file_values import AnyFile, InlineFile, StoredFile
from flowforge.files.files import Files, KeptFile
from flowforge.files.links import FileLinks
from flowforge.language.evaluation.meter import Failure


@dataclass(frozen=True, slots=True)
class StepFiles:
    """`is_trial`: its owner tries the step out, with whatever data, and may read all files that are theirs."""

    files: Files
    links: FileLinks
    user_id: UUID
    execution_id: UUID
    is_trial: bool = False

    def content(self, file: AnyFile) -> Content:
        """Raises ConnectorError, Unavailable."""
        if isinstance(file, InlineFile):
            return Content.of_inline(file)
        kept = self._kept(file)
        return Content(kept.file.name, kept.file.type, kept.file.size, kept.pieces)

    def keep(self, source: IO[bytes], name: str, type_: str) -> StoredFile:
        """Raises ConnectorError, Unavailable."""
        try:
            return self.files.keep(source, name, type_, owner=self.user_id, holder=self.execution_id)
        except (TooLarge, OverQuota) as error:
            raise ConnectorError(str(error), permanent=True) from error

    def read(self, file: StoredFile) -> bytes:
        """The whole content, for expressions. Raises Failure, Unavailable."""
        try:
            content = self.content(file)
        except ConnectorError as error:
            raise Failure(str(error)) from error
        if content.size != file.size:
            raise Failure(f"the file {file.name} has another size than it says")
        return b"".join(content.pieces())

    def link(self, file: AnyFile, seconds: int) -> str:
        """An address at which anybody reads the file, for so many seconds; one that stands in the data is kept for
        that. Raises Failure, Unavailable."""
        try:
            stored = self._stored(file)
        except ConnectorError as error:
            raise Failure(str(error)) from error
        return self.links.make(stored.id, datetime.now(UTC) + timedelta(seconds=seconds)).url

    def _stored(self, file: AnyFile) -> StoredFile:
        """Raises ConnectorError, Unavailable."""
        if isinstance(file, StoredFile):
            return self._kept(file).file
        return self.keep(BytesIO(file.content), file.name, file.type)

    @property
    def most_bytes(self) -> int:
        return self.files.limits.each

    def _kept(self, file: StoredFile) -> KeptFile:
        try:
            if self.is_trial:
                return self.files.of_owner(file.id, self.user_id)
            return self.files.of_execution(file.id, self.execution_id)
        except NotFound as error:
            raise ConnectorError(f"the file {file.name or file.id} cannot be read: {error}", permanent=True) from error
