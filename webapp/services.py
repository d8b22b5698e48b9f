"""The services of the core on this application's backends."""

from __future__ import annotations

from flowforge import kept_tables
from flowforge.api_registry.apis import Apis
from flowforge.connections.connections import Connections
from flowforge.connectors.catalog import load_catalog
from flowforge.db.data_tables_store import Limits
from flowforge.triggers.registrations import Triggers
from flowforge.workflows.bundles import Bundles
from flowforge.workflows.draft_calls import DraftCalls, TestUrls
from flowforge.workflows.drafts import Drafts
from flowforge.workflows.versions import Versions
from flowforge.workflows.workflows import Workflows
from webapp.context import backends


def triggers() -> Triggers:
    return Triggers(backends().settings, backends().vault)


def workflows() -> Workflows:
    return Workflows(load_catalog(), backends().vault, triggers())


def bundles() -> Bundles:
    return Bundles(workflows())


def versions() -> Versions:
    return Versions(workflows())


def drafts() -> Drafts:
    return Drafts(workflows())


def draft_calls() -> DraftCalls:
    return DraftCalls(drafts())


def test_urls() -> TestUrls:
    settings = backends().settings
    return TestUrls(backends().keys.jwt, settings.public_webhook_base, backends().redis)


def apis() -> Apis:
    return Apis(load_catalog(), backends().vault)


def connections() -> Connections:
    return Connections(load_catalog(), backends().vault)


def table_limits() -> Limits:
    """The room that data tables may take of an account, unless its own quotas say otherwise."""
    return kept_tables.table_limits(backends().settings)
