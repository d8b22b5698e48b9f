"""Airtable: list, create and change records.

https://airtable.com/developers/web/api
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator

from flowforge.connectors.connection_kinds.bearer import BEARER
from flowforge.connectors.connection_kinds.oauth2 import OAUTH2
from flowforge.connectors.sdk import Calls, Paging, Polls, Service, ServiceConfig, field, first_of, given
from flowforge.jsonio import JsonObject

AIRTABLE = Service("Airtable", "https://api.airtable.com/v0", "table", (BEARER, OAUTH2), ("database", "spreadsheet"))
_PAGES = Paging(by="cursor", at="body.offset", parameter="offset", items="body.records")
_MOST_AT_ONCE = 10
"""Records of one request (https://airtable.com/developers/web/api/create-records)."""
Fields = dict[str, Any]


def _one_or_more(value: Any) -> Any:
    return [value] if isinstance(value, dict) else value


class TableConfig(ServiceConfig):
    base_id: str = field(title="Base id", description="appXXXXXXXXXXXXXX", min_length=1)
    table: str = field(title="Table", description="Its name or id.", min_length=1)


class List(TableConfig):
    formula: str = field("", title="Filter", description="A formula: {Status} = 'Open'")
    view: str = field("", title="View")
    fields: list[str] = field(default_factory=list, title="Fields", description="Empty: all.")
    limit: int = field(100, title="Maximum records", ge=1, le=100_000)


@AIRTABLE.action(
    "AIRTABLE_LIST",
    List,
    title="list records",
    help="Gives the records of a table.",
    summary=first_of("table"),
    repeatable=True,
    polls=Polls(
        "New record in Airtable",
        "When a record is added to a table",
        items="items",
        item_id="id",
        sample={"id": "rec17", "createdTime": "2026-01-05T08:30:00.000Z", "fields": {"Name": "Ada"}},
    ),
)
async def list_records(config: List, airtable: Calls) -> JsonObject:
    query = {
        "filterByFormula": config.formula or None,
        "view": config.view or None,
        "fields[]": config.fields,
        "pageSize": min(config.limit, 100),
    }
    return await airtable.pages(_PAGES, "/{}/{}", config.base_id, config.table, query=query, most=config.limit)


class Create(TableConfig):
    records: Annotated[list[Fields], BeforeValidator(_one_or_more)] = field(
        title="Records",
        description='The fields of one, or a list of them: {"Name": "Ann"}.',
        min_length=1,
        max_length=_MOST_AT_ONCE,
    )
    typecast: bool = field(
        False, title="Convert values", description="Texts to the types of the fields.", group="Options"
    )


@AIRTABLE.action(
    "AIRTABLE_CREATE", Create, title="create records", help="Adds up to ten records.", summary=first_of("table")
)
async def create(config: Create, airtable: Calls) -> JsonObject:
    body = {"records": [{"fields": fields} for fields in config.records], "typecast": config.typecast or None}
    return await airtable.post("/{}/{}", config.base_id, config.table, json=body)


class Change(TableConfig):
    record_id: str = field("", title="Record id", description="Empty: the record is found by the fields below.")
    merge_on: list[str] = field(
        default_factory=list,
        title="Find by",
        description="Fields that tell records apart; one that is not there is added.",
    )
    fields: Fields = field(title="Fields", min_length=1)


@AIRTABLE.action(
    "AIRTABLE_CHANGE",
    Change,
    title="change a record",
    help="Changes a record, or adds it.",
    summary=first_of("table"),
    repeatable=True,
)
async def change(config: Change, airtable: Calls) -> JsonObject:
    record = given({"id": config.record_id or None, "fields": config.fields})
    upsert = {"fieldsToMergeOn": config.merge_on} if config.merge_on else None
    body = {"records": [record], "performUpsert": upsert}
    return await airtable.send("PATCH", "/{}/{}", config.base_id, config.table, json=body)
