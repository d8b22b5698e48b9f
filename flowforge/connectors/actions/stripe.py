"""Stripe: find, create and change what the API has, by its names. The connection's token is a secret or restricted key.

https://docs.stripe.com/api
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Literal

from flowforge.connectors.connection_kinds.bearer import BEARER
from flowforge.connectors.sdk import Calls, Pair, Polls, Service, ServiceConfig, field, joined, pairs_of
from flowforge.jsonio import JsonObject

STRIPE = Service("Stripe", "https://api.stripe.com/v1", "table", (BEARER,), ("payment", "invoice", "customer"))
Kind = Literal[
    "customers",
    "invoices",
    "invoiceitems",
    "payment_intents",
    "payment_links",
    "prices",
    "products",
    "refunds",
    "subscriptions",
]


class Find(ServiceConfig):
    kind: Kind = field("customers", title="What")
    filters: dict[str, Any] = field(
        default_factory=dict,
        title="Filter",
        description='{"email": "ann@example.org"}, {"created": {"gte": 1767225600}}',
    )
    limit: int = field(100, title="Maximum", ge=1, le=100)


@STRIPE.action(
    "STRIPE_FIND",
    Find,
    title="list",
    help="Gives customers, invoices, payments, …",
    summary=joined("kind"),
    repeatable=True,
    polls=Polls(
        "New object in Stripe",
        "When a charge, customer or other object is created in Stripe",
        items="items",
        item_id="id",
        newest_first=True,
        sample={"id": "ch_17", "object": "charge", "amount": 1250},
    ),
)
async def find(config: Find, stripe: Calls) -> JsonObject:
    answer = await stripe.get("/{}", config.kind, query={**config.filters, "limit": config.limit})
    return {"items": answer.get("data") or [], "complete": not answer.get("has_more")}


class Create(ServiceConfig):
    kind: Kind = field("customers", title="What")
    values: dict[str, Any] = field(
        title="Values", description='{"email": "ann@example.org", "name": "Ann"}', min_length=1
    )


@STRIPE.action(
    "STRIPE_CREATE",
    Create,
    title="create",
    help="Adds a customer, invoice, refund, …",
    summary=joined("kind"),
    repeatable=True,  # https://docs.stripe.com/api/idempotent_requests
)
async def create(config: Create, stripe: Calls) -> JsonObject:
    return await stripe.send("POST", "/{}", config.kind, data=await _form(config.values, stripe))


class Change(ServiceConfig):
    kind: Kind = field("customers", title="What")
    id: str = field(title="Id", min_length=1)
    values: dict[str, Any] = field(title="Values", min_length=1)


@STRIPE.action(
    "STRIPE_CHANGE",
    Change,
    title="change",
    help="Changes what is given, and leaves the rest.",
    summary=joined("kind", "id"),
    repeatable=True,
)
async def change(config: Change, stripe: Calls) -> JsonObject:
    return await stripe.send("POST", "/{}/{}", config.kind, config.id, data=await _form(config.values, stripe))


async def _form(values: JsonObject, stripe: Calls) -> Sequence[Pair]:
    return await stripe.compute(partial(pairs_of, values, "indexes"), of=values)
