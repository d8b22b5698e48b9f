"""All operations, by their names, in the order in which forms offer them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from flowforge.connectors.lists.aggregate import Aggregate
from flowforge.connectors.lists.compare import Compare
from flowforge.connectors.lists.dedupe import Dedupe
from flowforge.connectors.lists.filter import Filter
from flowforge.connectors.lists.join import Join
from flowforge.connectors.lists.limit import Limit
from flowforge.connectors.lists.record_fields import Keep, Remove, Rename
from flowforge.connectors.lists.reshape import Expand, Pivot
from flowforge.connectors.lists.sort import Sort

AnyOperation = Annotated[
    Filter | Sort | Limit | Aggregate | Join | Compare | Dedupe | Keep | Remove | Rename | Pivot | Expand,
    Field(discriminator="do", title="Operation"),
]
