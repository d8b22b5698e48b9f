"""Airtable, Discord and HubSpot publish no description in a package: what our actions ask for is compared with what
clients ask for that people use, HubSpot's own among them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import discord
import pytest
from discord.http import HTTPClient, Route, handle_message_parameters
from hubspot import HubSpot
from hubspot.crm.objects import (
    BatchInputSimplePublicObjectBatchInputUpsert,
    Filter,
    FilterGroup,
    PublicObjectSearchRequest,
    SimplePublicObjectBatchInputUpsert,
    SimplePublicObjectInputForCreate,
)
from pyairtable import Api, Table
from pytest_httpserver import HTTPServer
from werkzeug import Request as Received

from flowforge.connectors.catalog import load_catalog
from flowforge.file_values import InlineFile
from flowforge.jsonio import JsonObject
from tests.connectors.running import Step, received_by

ANN = {"Name": "Ann"}
REPORT = InlineFile("report.txt", "text/plain", b"all is well\n")


@dataclass(frozen=True)
class Asked:
    """A request, as far as its provider understands it."""

    method: str
    path: str
    query: list[tuple[str, str]]
    body: Any
    files: list[tuple[str, str | None, bytes]]


def as_asked(request: Received) -> Asked:
    written = request.form.get("payload_json") or request.get_data(as_text=True)
    files = [(name, file.filename, file.read()) for name, file in request.files.items(multi=True)]
    body = json.loads(written) if written else {}
    body.pop("attachments", None)  # Discord's, which describe files that may go without
    body.pop("associations", None)  # HubSpot's, which its examples leave out, and its client does not
    return Asked(request.method, request.path, sorted(request.args.items(multi=True)), told(body), files)


def all_asked(server: HTTPServer) -> list[Asked]:
    found = []
    for request in received_by(server):
        with request:
            found.append(as_asked(request))
    return found


def told(value: Any) -> Any:
    """Without what says nothing: clients write defaults out."""
    if isinstance(value, dict):
        kept = {key: told(member) for key, member in value.items()}
        return {key: member for key, member in kept.items() if member not in (None, False)}  # or 0
    return [told(member) for member in value] if isinstance(value, list) else value


@pytest.fixture
def asks_as(httpserver: HTTPServer, step: Step, answers: Callable[..., None]) -> Callable[..., None]:
    """Checks that a step asks for what a client asks for."""

    def check(type_: str, config: JsonObject, place: str, client: Callable[[str], Any]) -> None:
        step(type_, endpoint=httpserver.url_for(place), **config)
        ours = all_asked(httpserver)
        httpserver.clear_log()
        client(httpserver.url_for("").rstrip("/"))
        theirs = [asked for asked in all_asked(httpserver) if asked.path != "/users/@me"]
        assert ours == theirs
        assert ours

    return check


def airtable(work: Callable[[Table], Any]) -> Callable[[str], Any]:
    return lambda server: work(Api("key", endpoint_url=server).table("app1", "Orders"))


@pytest.mark.parametrize(
    ("type_", "config", "work"),
    [
        (
            "AIRTABLE_LIST",
            {"formula": "{Status} = 'Open'", "view": "Grid", "fields": ["Name", "Age"]},
            lambda table: table.all(formula="{Status} = 'Open'", view="Grid", fields=["Name", "Age"], page_size=100),
        ),
        ("AIRTABLE_CREATE", {"records": [ANN, ANN]}, lambda table: table.batch_create([ANN, ANN])),
        ("AIRTABLE_CREATE", {"records": ANN, "typecast": True}, lambda table: table.batch_create([ANN], typecast=True)),
        (
            "AIRTABLE_CHANGE",
            {"recordId": "rec1", "fields": ANN},
            lambda table: table.batch_update([{"id": "rec1", "fields": ANN}]),
        ),
        (
            "AIRTABLE_CHANGE",
            {"mergeOn": ["Name"], "fields": ANN},
            lambda table: table.batch_upsert([{"fields": ANN}], key_fields=["Name"]),
        ),
    ],
    ids=["list", "create", "create-converting", "change", "change-by-field"],
)
def test_airtable_is_asked_as_by_pyairtable(
    asks_as: Callable[..., None],
    answers: Callable[..., None],
    type_: str,
    config: JsonObject,
    work: Callable[[Table], Any],
) -> None:
    answers("GET", "/v0/app1/Orders", {"records": []})
    answers("POST", "/v0/app1/Orders", {"records": []})
    answers("PATCH", "/v0/app1/Orders", {"records": [], "createdRecords": [], "updatedRecords": []})
    asks_as(type_, {"baseId": "app1", "table": "Orders", **config}, "/v0", airtable(work))


def hubspot(work: Callable[[Any], Any]) -> Callable[[str], Any]:
    return lambda server: work(HubSpot(access_token="token", host=server).crm.objects)


@pytest.mark.parametrize(
    ("type_", "config", "work"),
    [
        (
            "HUBSPOT_CREATE",
            {"properties": {"email": "ann@example.org"}},
            lambda objects: objects.basic_api.create(
                "contacts", SimplePublicObjectInputForCreate(properties={"email": "ann@example.org"}, associations=[])
            ),
        ),
        (
            "HUBSPOT_SAVE",
            {"value": "ann@example.org", "properties": {"firstname": "Ann"}},
            lambda objects: objects.batch_api.upsert(
                "contacts",
                BatchInputSimplePublicObjectBatchInputUpsert(
                    inputs=[
                        SimplePublicObjectBatchInputUpsert(
                            id="ann@example.org",
                            id_property="email",
                            properties={"firstname": "Ann", "email": "ann@example.org"},
                        )
                    ]
                ),
            ),
        ),
        (
            "HUBSPOT_FIND",
            {"property": "email", "value": "ann@example.org", "properties": ["firstname"]},
            lambda objects: objects.search_api.do_search(
                "contacts",
                PublicObjectSearchRequest(
                    filter_groups=[
                        FilterGroup(filters=[Filter(property_name="email", operator="EQ", value="ann@example.org")])
                    ],
                    properties=["firstname"],
                    limit=100,
                ),
            ),
        ),
    ],
    ids=["create", "save", "find"],
)
def test_hubspot_is_asked_as_by_its_own_client(
    asks_as: Callable[..., None],
    answers: Callable[..., None],
    type_: str,
    config: JsonObject,
    work: Callable[[Any], Any],
) -> None:
    answers("POST", "/crm/v3/objects/contacts/search", {"total": 0, "results": []})
    asks_as(type_, config, "", hubspot(work))


def discord_py(**message: Any) -> Callable[[str], Any]:
    """Sends the message to channel 42."""

    async def send(server: str) -> None:
        Route.BASE = server
        client = HTTPClient(asyncio.get_running_loop())
        await client.static_login("token")
        with handle_message_parameters(allowed_mentions=discord.AllowedMentions.none(), **message) as params:
            await client.send_message(42, params=params)
        await client.close()

    return lambda server: asyncio.run(send(server))


EMBED = {"title": "Report", "description": "All is well", "type": "rich"}


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"content": "hi", "embeds": [EMBED]}, lambda: {"content": "hi", "embeds": [discord.Embed.from_dict(EMBED)]}),
        ({"files": [REPORT]}, lambda: {"files": [discord.File(BytesIO(REPORT.content), "report.txt")]}),
    ],
    ids=["text", "file"],
)
def test_discord_is_asked_as_by_discord_py(
    asks_as: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    config: JsonObject,
    message: Callable[[], dict[str, Any]],
) -> None:
    monkeypatch.setattr(Route, "BASE", Route.BASE)
    asks_as("DISCORD_MESSAGE", {"channelId": "42", **config}, "", discord_py(**message()))


def test_every_action_of_these_providers_is_compared() -> None:
    compared = {"AIRTABLE_LIST", "AIRTABLE_CREATE", "AIRTABLE_CHANGE", "HUBSPOT_CREATE", "HUBSPOT_SAVE", "HUBSPOT_FIND"}
    services = {"Airtable", "HubSpot", "Discord"}
    found = {each.type for each in load_catalog().connectors() if each.service in services}
    assert found == compared | {"DISCORD_MESSAGE"}
