"""/api/v1/tables: data tables of the account, and their rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from flask import Blueprint, Response, request, stream_with_context
from pydantic import Field

from flowforge.accounts.scopes import Scope
from flowforge.connectors.tables import Added, IfThere, NewRows, WantedPage, Which
from flowforge.data_tables.conditions import MOST_ROWS, WantedCondition
from flowforge.jsonio import JsonObject
from flowforge.table_registry import csv_files, rows, tables
from flowforge.table_registry.changes import TableChange
from flowforge.table_registry.csv_files import Imported
from flowforge.table_registry.views import TableView
from webapp.api import table_schemas
from webapp.context import session
from webapp.edge import MOST_RECEIVED_BYTES
from webapp.endpoint import DELETED, Answer, Body, Tag, created, endpoint, model_body, object_body
from webapp.identity import current_user_id
from webapp.query_params import Flag, OneOf, Query, TextOrNone, WholeNumber
from webapp.services import table_limits

CSV = "text/csv"
blueprint = Blueprint("tables", __name__, url_prefix="/api/v1/tables")


class RowsQuery(Query):
    sort: TextOrNone = Field(None, description="A column; without one, rows come as they were added.")
    descending: Flag = False
    limit: Annotated[int, WholeNumber(1, MOST_ROWS, default=100, shows_most=True)] = 100
    after: TextOrNone = Field(None, description="The `next` of the page before.")


class ImportQuery(Query):
    if_there: Annotated[IfThere, OneOf(IfThere)] = Field(
        IfThere.KEEP, description="What is done with a row whose key another one has: `keep` or `change`."
    )


@blueprint.before_request
def _make_room_for_files() -> None:
    request.max_content_length = MOST_RECEIVED_BYTES


@blueprint.get("")
@endpoint(Tag.TABLES, [table_schemas.Table])
def list_all() -> Sequence[TableView]:
    """List the caller's tables by name"""
    return tables.list_tables(session(), current_user_id())


@blueprint.post("")
@endpoint(
    Tag.TABLES,
    created(table_schemas.Table),
    takes=object_body(table_schemas.WantedTable, TableChange.read),
    refuses=(409,),
)
def create(body: TableChange) -> TableView:
    """Make a table"""
    return tables.create_table(session(), current_user_id(), body)


@blueprint.get("/<uuid:table_id>")
@endpoint(Tag.TABLES, table_schemas.Table)
def show(table_id: UUID) -> TableView:
    """Get a table with its columns"""
    return tables.get_table(session(), current_user_id(), table_id)


@blueprint.put("/<uuid:table_id>")
@endpoint(
    Tag.TABLES,
    table_schemas.Table,
    takes=object_body(table_schemas.WantedTable, TableChange.read),
    refuses=(409,),
)
def replace(table_id: UUID, body: TableChange) -> TableView:
    """Change a table's name and columns: those that are not named any more are gone"""
    return tables.change_table(session(), current_user_id(), table_id, body)


@blueprint.delete("/<uuid:table_id>")
@endpoint(Tag.TABLES, DELETED)
def delete(table_id: UUID) -> tuple[str, int]:
    """Delete a table with its rows"""
    tables.delete_table(session(), current_user_id(), table_id, table_limits())
    return "", 204


@blueprint.get("/<uuid:table_id>/rows")
@endpoint(Tag.TABLES, table_schemas.Rows, query=RowsQuery)
def list_rows(table_id: UUID, query: RowsQuery) -> JsonObject:
    """List rows, a page at a time"""
    wanted = WantedPage(Which(), query.sort, query.descending, query.limit, query.after)
    return rows.find_rows(session(), current_user_id(), table_id, wanted, table_limits())


@blueprint.post("/<uuid:table_id>/rows/search")
@endpoint(Tag.TABLES, table_schemas.Rows, takes=model_body(table_schemas.WantedRows), scope=Scope.READ)
def find_rows(table_id: UUID, body: table_schemas.WantedRows) -> JsonObject:
    """Find rows by conditions, a page at a time"""
    conditions = [WantedCondition(one.column, one.operator, one.value) for one in body.conditions]
    which = Which(conditions=conditions, any_of=body.match == "any")
    wanted = WantedPage(which, body.sort, body.descending, body.limit, body.after)
    return rows.find_rows(session(), current_user_id(), table_id, wanted, table_limits())


@blueprint.post("/<uuid:table_id>/rows")
@endpoint(
    Tag.TABLES,
    {201: Answer([table_schemas.AddedRow], "What became of each row, in their order")},
    takes=model_body(table_schemas.NewRows),
    refuses=(409, 429),
)
def add_rows(table_id: UUID, body: table_schemas.NewRows) -> Sequence[Added]:
    """Add rows: all of them, or none where one cannot be added"""
    new = NewRows(body.rows, "/rows", if_there=body.if_there)
    return rows.add_rows(session(), current_user_id(), table_id, new, table_limits())


@blueprint.get("/<uuid:table_id>/rows/<uuid:row_id>")
@endpoint(Tag.TABLES, table_schemas.Row)
def show_row(table_id: UUID, row_id: UUID) -> JsonObject:
    """Get a row"""
    return {"row": rows.get_row(session(), current_user_id(), table_id, row_id, table_limits())}


@blueprint.patch("/<uuid:table_id>/rows/<uuid:row_id>")
@endpoint(Tag.TABLES, table_schemas.Row, takes=model_body(table_schemas.RowChange), refuses=(409, 429))
def change_row(table_id: UUID, row_id: UUID, body: table_schemas.RowChange) -> JsonObject:
    """Change values of a row"""
    return {"row": rows.change_row(session(), current_user_id(), table_id, row_id, body.values, table_limits())}


@blueprint.delete("/<uuid:table_id>/rows/<uuid:row_id>")
@endpoint(Tag.TABLES, DELETED)
def delete_row(table_id: UUID, row_id: UUID) -> tuple[str, int]:
    """Delete a row"""
    rows.delete_row(session(), current_user_id(), table_id, row_id, table_limits())
    return "", 204


@blueprint.get("/<uuid:table_id>/rows.csv")
@endpoint(Tag.TABLES, {200: Answer(None, "All rows, in the order in which they were added", CSV)})
def export_rows(table_id: UUID) -> Response:
    """Export a table as CSV"""
    pieces = csv_files.export_csv(session(), current_user_id(), table_id, table_limits())
    return Response(stream_with_context(pieces), mimetype=CSV)


@blueprint.post("/<uuid:table_id>/rows.csv")
@endpoint(Tag.TABLES, table_schemas.Imported, takes=Body(None), query=ImportQuery, refuses=(413,))
def import_rows(table_id: UUID, query: ImportQuery) -> Imported:
    """Add the rows of a CSV, whose first line names the columns; lines that cannot be rows are left out and named"""
    return csv_files.import_csv(session(), current_user_id(), table_id, request.stream, query.if_there, table_limits())
