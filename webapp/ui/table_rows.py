"""Rows of tables: added, changed and deleted by hand, with a field for each column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for

from flowforge import jsonio
from flowforge.connectors.tables import NewRows
from flowforge.data_tables.columns import Column, ColumnType
from flowforge.errors import Conflict, Invalid, OverQuota, Problem
from flowforge.jsonio import JsonObject
from flowforge.sentences import message_of, sentence
from flowforge.table_registry import rows, tables
from flowforge.table_registry.views import TableView
from webapp.context import session
from webapp.services import table_limits
from webapp.translation.texts import gettext, lazy
from webapp.ui.base import blueprint
from webapp.ui.guard import viewer_id
from webapp.ui.problems import by_field

_HINTS = {
    ColumnType.TEXT: lazy("Text"),
    ColumnType.NUMBER: "A number",
    ColumnType.BOOLEAN: lazy("Yes or no"),
    ColumnType.DATETIME: lazy("A date and time, such as 2026-03-04T05:06:07Z"),
    ColumnType.JSON: "JSON",
}


@blueprint.get("/tables/<uuid:table_id>/rows/new")
def new_row(table_id: UUID) -> str:
    return _form_page(tables.get_table(session(), viewer_id(), table_id), None, {}, ())


@blueprint.post("/tables/<uuid:table_id>/rows/new")
def add_row(table_id: UUID) -> Any:
    shown = tables.get_table(session(), viewer_id(), table_id)
    try:
        new = NewRows([_sent_values(shown)], "/values", is_single=True)
        rows.add_rows(session(), viewer_id(), table_id, new, table_limits())
    except (Invalid, Conflict, OverQuota) as error:
        return _refused(shown, None, error)
    return _back(shown, gettext("Row added."))


@blueprint.get("/tables/<uuid:table_id>/rows/<uuid:row_id>")
def row(table_id: UUID, row_id: UUID) -> str:
    shown = tables.get_table(session(), viewer_id(), table_id)
    found = rows.get_row(session(), viewer_id(), table_id, row_id, table_limits())
    entered = {column.name: _as_text(column, found[column.name]) for column in shown.columns}
    return _form_page(shown, found, entered, ())


@blueprint.post("/tables/<uuid:table_id>/rows/<uuid:row_id>")
def change_row(table_id: UUID, row_id: UUID) -> Any:
    shown, limits = tables.get_table(session(), viewer_id(), table_id), table_limits()
    found = rows.get_row(session(), viewer_id(), table_id, row_id, limits)
    try:
        rows.change_row(session(), viewer_id(), table_id, row_id, _sent_values(shown), limits)
    except (Invalid, Conflict, OverQuota) as error:
        return _refused(shown, found, error)
    return _back(shown, gettext("Row saved."))


@blueprint.post("/tables/<uuid:table_id>/rows/<uuid:row_id>/delete")
def delete_row(table_id: UUID, row_id: UUID) -> Any:
    shown = tables.get_table(session(), viewer_id(), table_id)
    rows.delete_row(session(), viewer_id(), table_id, row_id, table_limits())
    return _back(shown, gettext("Row deleted."))


def _back(shown: TableView, message: str) -> Any:
    flash(message, "done")
    return redirect(url_for("ui.table", table_id=shown.id), 303)


def _sent_values(shown: TableView) -> JsonObject:
    """The values as the form has them; what is left empty is no value. Raises Invalid for what is no JSON."""
    sent = {column: request.form.get(f"values/{column.name}", "") for column in shown.columns}
    return {column.name: _value(column, text) for column, text in sent.items()}


def _value(column: Column, text: str) -> Any:
    if not text.strip():
        return None
    if column.type is not ColumnType.JSON:
        return text.replace("\r\n", "\n")
    try:
        return jsonio.loads(text)
    except ValueError as error:
        raise Invalid.at(
            f"/values/{column.name}", sentence("must be JSON: %(error)s", error=message_of(error))
        ) from error


def _as_text(column: Column, value: Any) -> str:
    if value is None:
        return ""
    if column.type is ColumnType.JSON:
        return jsonio.indented(value)
    return value if isinstance(value, str) else jsonio.dumps(value).decode()


def _refused(
    shown: TableView, found: Mapping[str, Any] | None, error: Invalid | Conflict | OverQuota
) -> tuple[str, int]:
    session().rollback()
    entered = {column.name: request.form.get(f"values/{column.name}", "") for column in shown.columns}
    problems = error.problems or [Problem("", message_of(error))]
    return _form_page(shown, found, entered, problems), 400 if isinstance(error, Invalid) else 409


def _form_page(
    shown: TableView, found: Mapping[str, Any] | None, entered: Mapping[str, str], problems: Sequence[Problem]
) -> str:
    named = by_field(problems)
    others = [problem for problem in problems if not problem.pointer.startswith("/values/")]
    return render_template(
        "tables/row.html", row=shown, found=found, entered=entered, problems=named, others=others, hints=_HINTS
    )
