"""HubSpot: create, change and find records of the CRM.

https://developers.hubspot.com/docs/api-reference/crm-objects-v3
"""

from __future__ import annotations

from typing import Any

from flowforge.connectors.connection_kinds.bearer import BEARER
from flowforge.connectors.connection_kinds.oauth2 import OAUTH2
from flowforge.connectors.sdk import Calls, Paging, Polls, Service, ServiceConfig, field, first_of, given
from flowforge.jsonio import JsonObject

HUBSPOT = Service("HubSpot", "https://api.hubapi.com", "letters", (BEARER, OAUTH2), ("crm", "contact", "deal"))
_PAGES = Paging(by="cursor", at="body.paging.next.after", parameter="after", sent_in="body", items="body.results")
Properties = dict[str, Any]


class RecordConfig(ServiceConfig):
    object_type: str = field(
        "contacts", title="Kind", description="contacts, companies, deals, tickets, or your own.", min_length=1
    )


class Save(RecordConfig):
    unique_property: str = field("email", title="Unique property", description="Tells records apart.", min_length=1)
    value: str = field(title="Its value", min_length=1)
    properties: Properties = field(default_factory=dict, title="Properties", description='{"firstname": "Ann"}')


@HUBSPOT.action(
    "HUBSPOT_SAVE",
    Save,
    title="create or change a record",
    help="Changes a record, or adds it.",
    summary=first_of("value"),
    repeatable=True,
)
async def save(config: Save, hubspot: Calls) -> JsonObject:
    one = {
        "id": config.value,
        "idProperty": config.unique_property,
        "properties": {**config.properties, config.unique_property: config.value},
    }
    return await hubspot.post("/crm/v3/objects/{}/batch/upsert", config.object_type, json={"inputs": [one]})


class Create(RecordConfig):
    properties: Properties = field(title="Properties", description='{"dealname": "…", "amount": 100}', min_length=1)


@HUBSPOT.action(
    "HUBSPOT_CREATE",
    Create,
    title="create a record",
    help="Adds a contact, company, deal or other.",
    summary=first_of("object_type"),
)
async def create(config: Create, hubspot: Calls) -> JsonObject:
    body = {"properties": config.properties}
    return await hubspot.post("/crm/v3/objects/{}", config.object_type, json=body)


class Find(RecordConfig):
    property: str = field("", title="Property")
    value: str = field("", title="Is", description="Empty: all records.")
    properties: list[str] = field(default_factory=list, title="Give", description="Names of properties.")
    limit: int = field(100, title="Maximum records", ge=1, le=10_000)


@HUBSPOT.action(
    "HUBSPOT_FIND",
    Find,
    title="find records",
    help="Gives the records with a value.",
    summary=first_of("value"),
    repeatable=True,
    polls=Polls(
        "New record in HubSpot",
        "When a search in HubSpot finds a record that it did not find before",
        items="items",
        item_id="id",
        sample={"id": "17", "properties": {"email": "ada@example.com"}},
    ),
)
async def find(config: Find, hubspot: Calls) -> JsonObject:
    condition = {"propertyName": config.property, "operator": "EQ", "value": config.value}
    groups = [{"filters": [condition]}] if config.property and config.value else None
    body = given({"filterGroups": groups, "properties": config.properties or None, "limit": min(config.limit, 100)})
    return await hubspot.pages(
        _PAGES, "/crm/v3/objects/{}/search", config.object_type, method="POST", json=body, most=config.limit
    )
