"""TABLE: rows that last between executions, in a table of the account."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Literal

from pydantic import model_validator

from flowforge.connectors.sdk import (
    Added,
    ConnectorConfig,
    ConnectorError,
    IfThere,
    NewRows,
    StepContext,
    Table,
    WantedPage,
    Which,
    connector,
    field,
    joined,
)
from flowforge.data_tables.conditions import MOST_ROWS, Operator, WantedCondition
from flowforge.errors import Conflict, Invalid, NotFound, OverQuota, TooMuchAtOnce
from flowforge.jsonio import JsonObject

Operation = Literal["add", "addIfNew", "addOrChange", "get", "find", "count", "change", "increment", "delete"]
_ADDING: Mapping[str, IfThere] = {"add": IfThere.REFUSE, "addIfNew": IfThere.KEEP, "addOrChange": IfThere.CHANGE}
_SELECTING = ("change", "delete")
_LONGEST_DAYS = 36_600


class ConditionConfig(ConnectorConfig):
    column: str = field(title="Column")
    operator: Operator = field(Operator.EQUALS, title="Is")
    value: Any = field(None, title="Value", description="For oneOf: a list.")


class Config(ConnectorConfig):
    operation: Operation = field(
        "find",
        title="Operation",
        description="addIfNew adds a row unless one has its key, and tells which: so each thing is acted upon once.",
    )
    table: str = field(title="Table")
    values: JsonObject | None = field(None, title="Values", description="By the names of the columns.")
    rows: list[Any] | None = field(
        None, title="Rows", description=f"A list of at most {MOST_ROWS:,} objects, in place of values."
    )
    key: Any = field(None, title="Key", description="The value of the key column in the row that is meant.")
    id: str | None = field(None, title="Row id", description="In place of the key: the id of the row.")
    conditions: list[ConditionConfig] = field(default_factory=list, title="Conditions")
    match: Literal["all", "any"] = field("all", title="Match", description="All of the conditions, or any of them.")
    sort: str | None = field(None, title="Sort by", description="A column. Empty: as they were added.")
    descending: bool = field(False, title="Descending")
    limit: int = field(100, title="Most rows", ge=1, le=MOST_ROWS)
    after: str | None = field(None, title="After", description="The 'next' of the page before.")
    column: str | None = field(None, title="Column", description="The number that is counted up.")
    amount: float | int = field(1, title="Amount", description="Negative counts down.", allow_inf_nan=False)
    expire_after: float | None = field(
        None,
        title="Expire after (days)",
        description="Empty: as the table says.",
        gt=0,
        le=_LONGEST_DAYS,
        allow_inf_nan=False,
    )

    @model_validator(mode="after")
    def _require_what_the_operation_needs(self) -> Config:
        if self.operation in _ADDING and (self.values is None) == (self.rows is None):
            raise ValueError(f"one of values and rows is required for {self.operation}")
        if self.operation == "change" and not self.values:
            raise ValueError("values is required for change")
        if self.operation == "increment" and not self.column:
            raise ValueError("column is required for increment")
        if self.operation in ("get", "increment") and not self._names_a_row:
            raise ValueError(f"one of key and id is required for {self.operation}")
        if self.operation in _SELECTING and not (self._names_a_row or self.conditions):
            raise ValueError(f"one of key, id and conditions is required for {self.operation}")
        return self

    @property
    def _names_a_row(self) -> bool:
        return self.key not in (None, "") or bool(self.id)

    @property
    def which(self) -> Which:
        """The rows that are meant. What is given and turned out empty is a mistake, never all rows. Raises Invalid."""
        for name in ("key", "id"):
            if name in self.model_fields_set and getattr(self, name) in (None, ""):
                raise Invalid.at(f"/{name}", "is empty")
        wanted = [WantedCondition(one.column, one.operator, one.value) for one in self.conditions]
        return Which(self.key, self.id, wanted, any_of=self.match == "any")

    @property
    def expiry(self) -> timedelta | None:
        return None if self.expire_after is None else timedelta(days=self.expire_after)


@connector(
    "TABLE",
    Config,
    title="Table",
    help="Keeps rows between executions: adds, finds, changes, counts and deletes them in a table of yours.",
    icon="table",
    keywords=("data", "database", "store", "state", "memory", "rows", "spreadsheet", "upsert", "counter", "dedupe"),
    summary=joined("operation", "table"),
    repeatable=True,
)
def table(config: Config, context: StepContext) -> JsonObject:
    """What changes rows is done once for each call, so that a step may be run again."""
    try:
        return _RUN[config.operation](config, context.tables.find(config.table), context)
    except (Invalid, Conflict, NotFound, OverQuota) as error:
        raise ConnectorError(str(error), permanent=True) from None
    except TooMuchAtOnce as error:
        raise ConnectorError(str(error), permanent=False) from None


def _add(config: Config, found: Table, context: StepContext) -> JsonObject:
    if_there = _ADDING[config.operation]
    if config.rows is None:
        [added] = found.add(NewRows([config.values or {}], "/values", True, if_there, config.expiry))
        return {"isNew": added.is_new, "row": added.row}
    every = found.add(NewRows(config.rows, "/rows", False, if_there, config.expiry))
    new = [added for added in every if added.is_new]
    shown: Sequence[Added] = new if if_there is IfThere.KEEP else every
    return {"rows": [added.row for added in shown], "added": len(new), "known": len(every) - len(new)}


def _get(config: Config, found: Table, context: StepContext) -> JsonObject:
    row = found.get(config.which)
    return {"found": row is not None, "row": row}


def _find(config: Config, found: Table, context: StepContext) -> JsonObject:
    most_bytes = context.output_limit // 2
    page = WantedPage(config.which, config.sort, config.descending, config.limit, config.after, most_bytes)
    return found.find(page)


_RUN: Mapping[str, Callable[[Config, Table, StepContext], JsonObject]] = {
    **dict.fromkeys(_ADDING, _add),
    "get": _get,
    "find": _find,
    "count": lambda config, found, _: {"count": found.count(config.which)},
    "change": lambda config, found, _: {"changed": found.update(config.which, config.values or {}, config.expiry)},
    "increment": lambda config, found, _: {"value": found.increment(config.which, config.column or "", config.amount)},
    "delete": lambda config, found, _: {"deleted": found.delete(config.which)},
}
