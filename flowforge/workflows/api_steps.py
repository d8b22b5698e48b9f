"""Steps whose form follows from what the account has, an API or a table: what is wrong with them, what they keep."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from flowforge.connectors.account import Account
from flowforge.connectors.api_calls.chosen import find_chosen
from flowforge.connectors.api_calls.fitting_connections import ConnectionOffer, fitting_connections
from flowforge.connectors.apis import Api
from flowforge.connectors.catalog import Catalog
from flowforge.connectors.described import API, OPERATION, Described
from flowforge.db.data_tables_store import Limits
from flowforge.db.engine import within
from flowforge.errors import Problem
from flowforge.jsonio import JsonObject
from flowforge.kept_descriptions import AccountApis
from flowforge.kept_tables import AccountTables
from flowforge.language.definition import WorkflowDefinition
from flowforge.language.pointers import pointer
from flowforge.language.tree import actions_in, map_actions
from flowforge.workflows.validation import config_of


def account_apis(session: Session, user_id: UUID) -> AccountApis:
    """The APIs of an account, as this transaction sees them."""
    return AccountApis(within(session), user_id)


def account_of(session: Session, user_id: UUID) -> Account:
    """What an account has, as this transaction sees it."""
    tables = AccountTables(within(session), user_id, Limits(0, 0))
    return Account(account_apis(session, user_id), tables)


def described_by(catalog: Catalog, action: Mapping[str, Any]) -> Described | None:
    """What follows from what the config of an action of that type names; None for other actions."""
    type_ = str(action.get("type", "")).upper()
    return catalog.get(type_).described if type_ in catalog else None


def problems_of_api_steps(
    session: Session, catalog: Catalog, user_id: UUID, definition: WorkflowDefinition
) -> Iterator[Problem]:
    """A statement for each step that names an API or a table."""
    account = account_of(session, user_id)
    for path, action in actions_in(definition.dump()["actions"]):
        described = described_by(catalog, action)
        if described is not None:
            yield from described.problems(action.get("config") or {}, account, pointer((*path, "config")))


def sample_output(catalog: Catalog, account: Account, action: Mapping[str, Any]) -> JsonObject | None:
    """An output as what its config names has it, for a step that has not run; None where nothing is known."""
    described = described_by(catalog, action)
    return None if described is None else described.sample(config_of(action) or {}, account)


def settle_api_steps(session: Session, catalog: Catalog, user_id: UUID, definition: JsonObject) -> JsonObject:
    """The definition with the version of each API that a step does not name itself: the present one. Where no step
    calls an API, that takes no statement."""
    account = account_of(session, user_id)

    def settle(action: JsonObject) -> JsonObject:
        described, config = described_by(catalog, action), config_of(action)
        if described is None or config is None:
            return action
        return {**action, "config": described.settled(config, account)}

    if not isinstance(definition.get("actions"), list):
        return definition
    return {**definition, "actions": map_actions(definition["actions"], settle)}


def connection_offers(apis: AccountApis, name: str, operation: str = "") -> tuple[Api, list[ConnectionOffer]]:
    """New connections that fit an API, or one of its operations where it has that. Raises NotFound."""
    api = apis.find(name)
    chosen = find_chosen({API: name, OPERATION: operation}, apis) if operation else None
    return api, fitting_connections(api.description, chosen.operation if chosen else None)
