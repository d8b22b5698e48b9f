"""/api/v1/guide: the guided first workflow, and how far one got."""

from __future__ import annotations

from flask import Blueprint

from flowforge.errors import NotFound
from flowforge.onboarding import guide as operations
from flowforge.onboarding.guide import Guide
from webapp.api import dashboard_schemas
from webapp.context import session
from webapp.endpoint import DELETED, Tag, endpoint
from webapp.identity import current_user_id
from webapp.services import drafts

blueprint = Blueprint("guide", __name__, url_prefix="/api/v1/guide")


@blueprint.get("")
@endpoint(Tag.WORKFLOWS, dashboard_schemas.Guide, refuses=(404, 409))
def get() -> Guide:
    """Tell how far the guided first workflow has come"""
    return _guide()


@blueprint.post("")
@endpoint(Tag.WORKFLOWS, dashboard_schemas.Guide, refuses=(409,))
def begin() -> Guide:
    """Begin the guide, with an empty workflow, or go on with it"""
    operations.begin(session(), drafts(), current_user_id())
    return _guide()


@blueprint.delete("")
@endpoint(Tag.WORKFLOWS, DELETED)
def end() -> None:
    """End the guide; the workflow stays"""
    operations.end(session(), current_user_id())


def _guide() -> Guide:
    found = operations.guide_of(session(), drafts(), current_user_id())
    if found is None:
        raise NotFound("you are not being guided")
    return found
