"""Files of a request: small ones stay in its payload, others are kept for the event or execution that they go to."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO
from uuid import UUID

from werkzeug.datastructures import FileStorage

from flowforge.errors import Unavailable
from flowforge.file_values import AnyFile, InlineFile
from flowforge.files.inline_room import InlineRoom
from flowforge.ids import uuid7
from webapp.context import backends

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Uploads:
    """`find_owner`: looks up the account that they will belong to, where there are any to be kept."""

    find_owner: Callable[[], UUID]
    holder: UUID = field(default_factory=uuid7)
    """The id of the event or execution."""
    has_kept: bool = False
    _room: InlineRoom = field(default_factory=InlineRoom)

    def add(self, content: IO[bytes], name: str, type_: str) -> AnyFile:
        """The file as the payload has it. Raises TooLarge, OverQuota, Unavailable."""
        if self._room.take(content.seek(0, 2)):
            content.seek(0)
            return InlineFile.named(name, type_, content.read())
        self.has_kept = True
        return backends().files.keep(content, name, type_, owner=self.find_owner(), holder=self.holder)

    def add_part(self, file: FileStorage) -> AnyFile:
        """A file of a form. Raises what `add` raises."""
        return self.add(file.stream, file.filename or "", file.content_type or "")

    @contextmanager
    def unless_refused(self) -> Iterator[None]:
        """Discards them where the block raises: nothing refers to them."""
        try:
            yield
        except BaseException:
            self.discard()
            raise

    def discard(self) -> None:
        """Never raises: what is left is found by pruning."""
        if not self.has_kept:
            return
        try:
            backends().files.discard(self.holder)
        except Unavailable as error:
            logger.warning("files of a request that was refused are left to pruning: %s", error)
