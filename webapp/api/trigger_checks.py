"""/api/v1/triggers/{id}/test: whether what a trigger listens to can be reached."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint

from flowforge.accounts.scopes import Scope
from flowforge.triggers.kind import TrialResult
from webapp.api import dashboard_schemas
from webapp.context import backends, session
from webapp.endpoint import Tag, endpoint
from webapp.identity import current_user_id
from webapp.services import triggers

blueprint = Blueprint("trigger_checks", __name__, url_prefix="/api/v1/triggers")


@blueprint.post("/<uuid:trigger_id>/test")
@endpoint(Tag.TRIGGERS, dashboard_schemas.MailboxAnswer, refuses=(400,), scope=Scope.RUN)
def try_out(trigger_id: UUID) -> TrialResult:
    """Sign in to a mailbox and open its folder, for reading only"""
    return triggers().test(session(), backends(), current_user_id(), trigger_id)
