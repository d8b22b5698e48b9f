"""TABLE: rows that last between executions, in a table of the account."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from flowforge.connectors.sdk import (
    Added,
    ConnectorError,
    Described,
    IfThere,
    NewRows,
    StepContext,
    Table,
    WantedPage,
    connector,
    joined,
)
from flowforge.connectors.table_steps.config import ADDING, Config
from flowforge.connectors.table_steps.form import form_of, problems_of, sample_of
from flowforge.errors import Conflict, Invalid, NotFound, OverQuota, TooMuchAtOnce
from flowforge.jsonio import JsonObject


@connector(
    "TABLE",
    Config,
    title="Table",
    help="Keeps rows between executions: adds, finds, changes, counts and deletes them in a table of yours.",
    icon="table",
    keywords=("data", "database", "store", "state", "memory", "rows", "spreadsheet", "upsert", "counter", "dedupe"),
    summary=joined("operation", "table"),
    repeatable=True,
    keeps=True,
    described=Described(form_of, problems_of, lambda config, _: dict(config), sample_of),
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
    if_there = ADDING[config.operation]
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
    **dict.fromkeys(ADDING, _add),
    "get": _get,
    "find": _find,
    "count": lambda config, found, _: {"count": found.count(config.which)},
    "change": lambda config, found, _: {"changed": found.update(config.which, config.values or {}, config.expiry)},
    "increment": lambda config, found, _: {"value": found.increment(config.which, config.column or "", config.amount)},
    "delete": lambda config, found, _: {"deleted": found.delete(config.which)},
}
