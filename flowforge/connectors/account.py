"""What an account has that the forms of steps follow from: its APIs, and its data tables."""

from __future__ import annotations

from dataclasses import dataclass, field

from flowforge.connectors.apis import ApiAccess, NoApis
from flowforge.connectors.tables import NoTables, TableAccess


@dataclass(frozen=True, slots=True)
class Account:
    """Without anything: that of contexts which belong to nobody."""

    apis: ApiAccess = field(default_factory=NoApis)
    tables: TableAccess = field(default_factory=NoTables)
