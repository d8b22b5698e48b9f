"""The history of a workflow: what was published and when, what differs between two of its versions, and an old one
taken up again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for

from flowforge.connectors.catalog import load_catalog
from flowforge.errors import Conflict, Invalid
from flowforge.workflows.changes import Restoration
from flowforge.workflows.versions import DRAFT, PUBLISHED
from flowforge.workflows.views import VersionView
from webapp.context import session
from webapp.services import drafts, versions, workflows
from webapp.translation.texts import gettext, said_by
from webapp.ui.base import blueprint, requested_page
from webapp.ui.guard import viewer_id
from webapp.ui.written_differences import written

_PAGE = 30


@blueprint.get("/workflows/<uuid:workflow_id>/versions")
def workflow_versions(workflow_id: UUID) -> str:
    """`from` and `to`: numbers of versions, `published` or `draft`; what is compared, unless it is said, is what
    changed last."""
    workflow = workflows().get(session(), viewer_id(), workflow_id)
    page = requested_page()
    listed = workflows().versions(session(), viewer_id(), workflow_id, page=page, size=_PAGE + 1)
    has_draft = drafts().get(session(), viewer_id(), workflow_id).revision > 0
    old, new = _choose_compared(listed, has_draft)
    found = versions().compare(session(), viewer_id(), workflow_id, old, new) if old and new else None
    return render_template(
        "builder/versions.html",
        workflow=workflow,
        versions=listed[:_PAGE],
        page=page,
        more=len(listed) > _PAGE,
        has_draft=has_draft,
        old=old,
        new=new,
        differences=written(found, load_catalog()) if found else None,
        named=_name_of,
    )


@blueprint.post("/workflows/<uuid:workflow_id>/versions/<uuid:version_id>/restore")
def restore_version(workflow_id: UUID, version_id: UUID) -> Any:
    note = {"note": request.form.get("note", "").strip() or None}
    try:
        restored = versions().restore(session(), viewer_id(), workflow_id, version_id, Restoration.read(note))
        flash(gettext("“%(name)s” restored and published.", name=restored.name), "done")
    except (Invalid, Conflict) as error:
        session().rollback()
        flash(gettext("Not restored: %(reason)s.", reason=said_by(error)), "error")
    return redirect(url_for("ui.workflow_versions", workflow_id=workflow_id), 303)


def _choose_compared(listed: Sequence[VersionView], has_draft: bool) -> tuple[str | None, str | None]:
    old, new = request.args.get("from"), request.args.get("to")
    if old and new:
        return old, new
    if has_draft:
        return PUBLISHED, DRAFT
    latest = listed[:2]
    return (str(latest[1].number), str(latest[0].number)) if len(latest) == 2 else (None, None)


def _name_of(which: str) -> str:
    """`3` as `version 3`."""
    named = {PUBLISHED: gettext("published version"), DRAFT: gettext("draft")}
    return named.get(which) or gettext("version %(number)s", number=which)
