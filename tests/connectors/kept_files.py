"""Files of a step that has no execution: kept in memory."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import IO
from uuid import UUID

from flowforge.connectors.sdk import ConnectorError, Content
from flowforge.file_values import AnyFile, InlineFile, StoredFile
from flowforge.ids import uuid7


@dataclass
class KeptFiles:
    most_bytes: int = 50_000_000
    contents: dict[UUID, bytes] = field(default_factory=dict)

    def content(self, file: AnyFile) -> Content:
        if isinstance(file, InlineFile):
            return Content.of_inline(file)
        return Content(file.name, file.type, file.size, lambda: iter([self.contents[file.id]]))

    def keep(self, source: IO[bytes], name: str, type_: str) -> StoredFile:
        source.seek(0)
        content = source.read()
        if len(content) > self.most_bytes:
            raise ConnectorError("too large", permanent=True)
        file = StoredFile(uuid7(), name, type_, len(content), hashlib.sha256(content).hexdigest())
        self.contents[file.id] = content
        return file
