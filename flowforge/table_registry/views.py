"""Data tables as people see them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from flowforge.data_tables.columns import Column


@dataclass(frozen=True, slots=True)
class TableView:
    """`key`: the name of the column by which rows are known. `expire_after`: days after which new rows expire."""

    id: UUID
    name: str
    columns: Sequence[Column]
    key: str | None
    expire_after: int | None
    row_count: int
    """Also of rows that have expired a moment ago."""
    bytes: int
    created_at: datetime
    updated_at: datetime
