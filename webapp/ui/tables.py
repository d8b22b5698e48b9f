"""Tables: made and changed with their columns, looked through, imported, deleted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for

from flowforge import jsonio
from flowforge.connectors.tables import IfThere, WantedPage, Which
from flowforge.data_tables.columns import KEY_TYPES, MOST_COLUMNS, ColumnType
from flowforge.data_tables.conditions import LABELS, WITHOUT_VALUE, Operator, WantedCondition
from flowforge.errors import Conflict, Invalid, Problem, TooMuchAtOnce
from flowforge.jsonio import JsonObject
from flowforge.sentences import message_of, sentence
from flowforge.table_registry import csv_files, rows, tables
from flowforge.table_registry.changes import TableChange
from flowforge.table_registry.csv_files import Imported
from flowforge.table_registry.views import TableView
from flowforge.workflows.connection_uses import Use
from flowforge.workflows.table_uses import table_uses
from webapp.context import backends, session
from webapp.services import table_limits
from webapp.translation.texts import gettext, translated
from webapp.ui.asked import asked_again
from webapp.ui.base import blueprint
from webapp.ui.guard import viewer_id
from webapp.ui.problems import by_field

ROWS_SHOWN = 50
_EMPTY_LINES = 4
"""Lines for further columns in the form."""
_FIRST_LINES = 6
_TOO_LONG = 10
"""Digits that are no number of days."""
_LONGEST_CELL = 120


@blueprint.get("/tables")
def list_tables() -> str:
    return render_template("tables/list.html", rows=tables.list_tables(session(), viewer_id()))


@blueprint.get("/tables/new")
def new_table() -> str:
    return _form_page(None, {}, ())


@blueprint.post("/tables/new")
def create_table() -> Any:
    wanted = _sent_table()
    try:
        created = tables.create_table(session(), viewer_id(), TableChange.read(wanted))
    except (Invalid, Conflict) as error:
        return _refused(None, wanted, error)
    flash(gettext("“%(name)s” created.", name=created.name), "done")
    return redirect(url_for("ui.table", table_id=created.id), 303)


@blueprint.get("/tables/<uuid:table_id>")
def table(table_id: UUID) -> Any:
    """The rows; `column`, `operator` and `value` filter them, `sort` and `descending` order them."""
    return _rows_page(tables.get_table(session(), viewer_id(), table_id), None)


@blueprint.get("/tables/<uuid:table_id>/columns")
def table_columns(table_id: UUID) -> str:
    shown = tables.get_table(session(), viewer_id(), table_id)
    columns = [column.as_json() for column in shown.columns]
    entered = {"name": shown.name, "columns": columns, "key": shown.key, "expireAfter": shown.expire_after}
    return _form_page(shown, entered, ())


@blueprint.post("/tables/<uuid:table_id>/columns")
def change_table(table_id: UUID) -> Any:
    shown, wanted = tables.get_table(session(), viewer_id(), table_id), _sent_table()
    try:
        changed = tables.change_table(session(), viewer_id(), table_id, TableChange.read(wanted))
    except (Invalid, Conflict) as error:
        return _refused(shown, wanted, error)
    flash(gettext("“%(name)s” saved.", name=changed.name), "done")
    return redirect(url_for("ui.table", table_id=table_id), 303)


@blueprint.post("/tables/<uuid:table_id>/import")
def import_rows(table_id: UUID) -> Any:
    shown, file = tables.get_table(session(), viewer_id(), table_id), request.files.get("file")
    if file is None or not file.filename:
        return _rows_page(shown, None, [Problem("/file", sentence("is required"))]), 400
    if_there = IfThere.CHANGE if request.form.get("change") == "true" else IfThere.KEEP
    limits = table_limits()
    try:
        imported = csv_files.import_csv(session(), viewer_id(), table_id, file.stream, if_there, limits)
    except Invalid as error:
        session().rollback()
        return _rows_page(shown, None, [Problem("/file", problem.message) for problem in error.problems]), 400
    return _rows_page(tables.get_table(session(), viewer_id(), table_id), imported)


@blueprint.post("/tables/<uuid:table_id>/delete")
def delete_table(table_id: UUID) -> Any:
    """Deletes it; where workflows use it, names them and waits for `force`."""
    shown = tables.get_table(session(), viewer_id(), table_id)
    uses = table_uses(session(), backends().vault, viewer_id(), shown.name)
    if uses and request.form.get("force") != "true":
        return _rows_page(shown, None, uses=uses), 409
    tables.delete_table(session(), viewer_id(), table_id, table_limits())
    flash(gettext("“%(name)s” deleted.", name=shown.name), "done")
    return redirect(url_for("ui.list_tables"), 303)


def _sent_table() -> JsonObject:
    """The table as the form has it: lines without a name are no columns."""
    columns = list(_sent_columns())
    days = request.form.get("expireAfter", "").strip()
    return {
        "name": request.form.get("name", "").strip(),
        "columns": columns,
        "key": next((column["name"] for column in columns if column["line"] == request.form.get("key")), None),
        "expireAfter": int(days) if days.isdecimal() and len(days) < _TOO_LONG else days or None,
    }


def _sent_columns() -> Iterator[JsonObject]:
    for number in range(MOST_COLUMNS + _EMPTY_LINES):
        name = request.form.get(f"name-{number}", "").strip()
        if name:
            yield {
                "line": str(number),
                "id": request.form.get(f"id-{number}") or None,
                "name": name,
                "type": request.form.get(f"type-{number}", ""),
                "required": request.form.get(f"required-{number}") == "true",
            }


def _refused(shown: TableView | None, entered: JsonObject, error: Invalid | Conflict) -> Any:
    session().rollback()
    is_taken = isinstance(error, Conflict)
    return _form_page(shown, entered, [Problem("/name", message_of(error))] if is_taken else error.problems), 400


def _form_page(shown: TableView | None, entered: Mapping[str, Any], problems: Sequence[Problem]) -> str:
    columns = entered.get("columns", [])
    lines = [*columns, *({} for _ in range(_EMPTY_LINES if shown else _FIRST_LINES))]
    return render_template(
        "tables/form.html",
        row=shown,
        entered=entered,
        lines=lines[:MOST_COLUMNS],
        types=[type_.value for type_ in ColumnType],
        key_types=KEY_TYPES,
        problems=by_field(problems),
    )


def _rows_page(
    shown: TableView, imported: Imported | None, problems: Sequence[Problem] = (), uses: Sequence[Use] = ()
) -> str:
    """`uses`: what keeps it from being deleted without further ado."""
    found: JsonObject = {"rows": [], "count": 0, "next": None}
    told = list(problems)
    try:
        limits = table_limits()
        found = rows.find_rows(session(), viewer_id(), shown.id, _wanted_page(), limits)
    except Invalid as error:
        told += [Problem(problem.pointer.replace("/conditions/0", ""), problem.message) for problem in error.problems]
    except TooMuchAtOnce as error:
        session().rollback()
        told.append(Problem("/value", message_of(error)))
    return render_template(
        "tables/show.html",
        row=shown,
        found=found,
        imported=imported,
        operators=[operator.value for operator in Operator],
        unary_operators=WITHOUT_VALUE,
        asked=request.args,
        link=lambda **changed: _link(shown, changed),
        problems=by_field(told),
        uses=uses,
    )


def _wanted_page() -> WantedPage:
    """The page that the address asks for; an operator that there is not is the first one."""
    asked = request.args
    conditions = []
    if asked.get("column"):
        operator = asked.get("operator", "")
        known = Operator(operator) if operator in set(Operator) else Operator.EQUALS
        conditions.append(WantedCondition(asked["column"], known, asked.get("value")))
    descending = asked.get("descending") == "true"
    return WantedPage(
        Which(conditions=conditions), asked.get("sort") or None, descending, ROWS_SHOWN, asked.get("after") or None
    )


def _link(shown: TableView, changed: Mapping[str, Any]) -> str:
    """The address of the same rows, with some parts of it changed, at their first page."""
    return asked_again(url_for("ui.table", table_id=shown.id), **{"after": None, **changed})


@blueprint.app_template_filter()
def cell_text(value: Any) -> str:
    """A value as a cell of a table shows it: short, in one line."""
    text = value if isinstance(value, str) else jsonio.dumps(value).decode()
    return text if len(text) <= _LONGEST_CELL else f"{text[:_LONGEST_CELL]}…"


@blueprint.app_template_filter()
def operator_words(operator: str) -> str:
    """`startsWith` as `starts with`."""
    return translated(LABELS[operator])
