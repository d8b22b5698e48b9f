"""Addresses that pages had before: they lead to where these are now."""

from __future__ import annotations

from uuid import UUID

from flask import redirect, url_for
from werkzeug.wrappers import Response

from webapp.ui.asked import asked_again
from webapp.ui.base import blueprint


@blueprint.get("/dead-letters")
def former_failed_messages() -> Response:
    return _moved("ui.failed_messages")


@blueprint.get("/settings/audit-log")
def former_audit_log() -> Response:
    return _moved("ui.audit_log")


@blueprint.get("/settings/accounts")
def former_accounts() -> Response:
    return _moved("ui.managed_accounts")


@blueprint.get("/settings/accounts/<uuid:account_id>")
def former_account(account_id: UUID) -> Response:
    return _moved("ui.managed_account", account_id=account_id)


def _moved(endpoint: str, account_id: UUID | None = None) -> Response:
    """Redirect for good, with what the address asked for."""
    return redirect(asked_again(url_for(endpoint, account_id=account_id)), 301)
