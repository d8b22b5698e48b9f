"""The config of a step that works with a table."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Literal, get_args

from pydantic import ConfigDict, model_validator

from flowforge.connectors.sdk import ConnectorConfig, IfThere, Which, field
from flowforge.data_tables.conditions import LABELS, MOST_ROWS, WITHOUT_VALUE, Operator, WantedCondition
from flowforge.errors import Invalid
from flowforge.jsonio import JsonObject
from flowforge.sentences import sentence

Operation = Literal["add", "addIfNew", "addOrChange", "get", "find", "count", "change", "increment", "delete"]
ADDING: Mapping[str, IfThere] = {"add": IfThere.REFUSE, "addIfNew": IfThere.KEEP, "addOrChange": IfThere.CHANGE}
DEFAULT = "find"
_NAMING = ("get", "change", "increment", "delete")
_SELECTING = ("find", "count", "change", "delete")
_LONGEST_DAYS = 36_600
_LABELS = {
    "add": "Add",
    "addIfNew": "Add if new",
    "addOrChange": "Add or change",
    "get": "Get one",
    "find": "Find",
    "count": "Count",
    "change": "Change",
    "increment": "Count up",
    "delete": "Delete",
}


class ConditionConfig(ConnectorConfig):
    model_config = ConfigDict(title="Condition")

    column: str = field(title="Column")
    operator: Operator = field(Operator.EQUALS, title="Operator", labels=LABELS, unary=WITHOUT_VALUE)
    value: Any = field(None, title="Value", description="For “is one of”: a list.")


class Config(ConnectorConfig):
    table: str = field(title="Table")
    operation: Operation = field(
        "find",
        title="Operation",
        description="Add if new: unless a row has the key; it tells which are new, so that each is acted upon once.",
        labels=_LABELS,
    )
    values: JsonObject | None = field(
        None, title="Values", description="By the names of the columns.", only_for=(*ADDING, "change")
    )
    rows: list[Any] | None = field(
        None,
        title="Rows",
        description=f"A list of at most {MOST_ROWS:,} objects, in place of values.",
        only_for=tuple(ADDING),
    )
    key: Any = field(
        None, title="Key", description="The value of the key column in the row that is meant.", only_for=_NAMING
    )
    id: str | None = field(
        None, title="Row id", description="In place of the key: the id of the row.", only_for=_NAMING, group="Options"
    )
    conditions: list[ConditionConfig] = field(default_factory=list, title="Conditions", only_for=_SELECTING)
    match: Literal["all", "any"] = field(
        "all", title="Match", description="All of the conditions, or any of them.", only_for=_SELECTING
    )
    sort: str | None = field(
        None, title="Sort by", description="A column. Empty: as they were added.", only_for=("find",)
    )
    descending: bool = field(False, title="Descending", only_for=("find",))
    limit: int = field(100, title="Maximum rows", ge=1, le=MOST_ROWS, only_for=("find",))
    after: str | None = field(
        None, title="After", description="The 'next' of the page before.", only_for=("find",), group="Options"
    )
    column: str | None = field(
        None, title="Column", description="The number that is counted up.", only_for=("increment",)
    )
    amount: float | int = field(
        1, title="Amount", description="Negative counts down.", allow_inf_nan=False, only_for=("increment",)
    )
    expire_after: float | None = field(
        None,
        title="Expire after (days)",
        description="Empty: as the table says.",
        gt=0,
        le=_LONGEST_DAYS,
        allow_inf_nan=False,
        only_for=(*ADDING, "change"),
        group="Options",
    )

    @model_validator(mode="after")
    def _require_what_the_operation_needs(self) -> Config:
        if self.operation in ADDING and bool(self.values) == (self.rows is not None):
            raise ValueError(sentence("one of values and rows is required for %(operation)s", operation=self.operation))
        if self.operation == "change" and not self.values:
            raise ValueError(sentence("values is required for change"))
        if self.operation == "increment" and not self.column:
            raise ValueError(sentence("column is required for increment"))
        if self.operation in ("get", "increment") and not self._names_a_row:
            raise ValueError(sentence("one of key and id is required for %(operation)s", operation=self.operation))
        if self.operation in ("change", "delete") and not (self._names_a_row or self.conditions):
            raise ValueError(
                sentence("one of key, id and conditions is required for %(operation)s", operation=self.operation)
            )
        return self

    @property
    def _names_a_row(self) -> bool:
        return self.key not in (None, "") or bool(self.id)

    @property
    def which(self) -> Which:
        """The rows that are meant. What is given and turned out empty is a mistake, never all rows. Raises Invalid."""
        for name in ("key", "id"):
            if name in self.model_fields_set and getattr(self, name) in (None, ""):
                raise Invalid.at(f"/{name}", sentence("is empty"))
        wanted = [WantedCondition(one.column, one.operator, one.value) for one in self.conditions]
        return Which(self.key, self.id, wanted, any_of=self.match == "any")

    @property
    def expiry(self) -> timedelta | None:
        return None if self.expire_after is None else timedelta(days=self.expire_after)


OPERATIONS: tuple[str, ...] = get_args(Operation)
