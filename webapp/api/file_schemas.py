"""Files as the API shows them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BeforeValidator, Field

from flowforge.file_values import shown_id
from webapp.wire import Wire


def _shown(id_: object) -> object:
    return shown_id(id_) if isinstance(id_, UUID) else id_


class File(Wire):
    id: Annotated[str, BeforeValidator(_shown)] = Field(description="As it stands in payloads and outputs.")
    name: str
    type: str
    size: int = Field(description="Bytes.")
    sha256: str


class Link(Wire):
    url: str
    ends_at: datetime
