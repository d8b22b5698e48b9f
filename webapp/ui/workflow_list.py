"""The list of workflows: its filter, order and folder stand in the address."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import redirect, render_template, request, url_for

from flowforge.errors import Invalid, NotFound
from flowforge.onboarding import guide
from flowforge.onboarding.gallery import first_templates
from flowforge.workflows import deleted_workflows, folders, listing, tags
from flowforge.workflows.listing import Order, Sort, WorkflowFilter
from flowforge.workflows.saved_filters import Listed
from webapp.context import backends, session
from webapp.services import drafts
from webapp.translation.texts import gettext, lazy, ngettext, said
from webapp.ui.asked import asked_again
from webapp.ui.base import blueprint
from webapp.ui.guard import viewer_id
from webapp.ui.notices import tell
from webapp.ui.saved_filters import current_query, shown_filters
from webapp.ui.templates import cards_of

STATES = {"enabled": lazy("Enabled"), "disabled": lazy("Disabled"), "draft": lazy("Draft")}
SORTS = {
    Sort.CREATED: lazy("Newest"),
    Sort.NAME: lazy("Name"),
    Sort.LAST_RUN: lazy("Last run"),
    Sort.CHANGED: lazy("Changed"),
    Sort.STATE: lazy("State"),
}
_ASKED = {"enabled": (True, None), "disabled": (False, False), "draft": (None, True)}
"""Whether a workflow is enabled, and whether it is a draft, by the name of its state in the filter."""
_ASCENDING = frozenset({Sort.NAME, Sort.STATE})
"""Begins with the first of the alphabet, or of the states; others with the latest."""


@blueprint.get("/workflows")
def workflows() -> str:
    wanted, order, after = _requested_filter(), _requested_order(), request.args.get("after", type=UUID)
    page = listing.search(session(), viewer_id(), wanted, order, after=after)
    filtered = wanted != listing.ALL
    is_empty = not (page.rows or filtered or after)
    return render_template(
        "workflows/list.html",
        page=page,
        total=listing.count(session(), viewer_id(), wanted),
        wanted=wanted,
        state=request.args.get("state"),
        states=STATES,
        order=order,
        sorts=SORTS,
        sorted_by=sorted_by,
        link=_link,
        after=after,
        filtered=filtered,
        tags=tags.all_of(session(), viewer_id()),
        folders=folders.all_of(session(), viewer_id()),
        saved_in=Listed.WORKFLOWS,
        saved=shown_filters(Listed.WORKFLOWS),
        savable=current_query(Listed.WORKFLOWS),
        cards=cards_of(first_templates()) if is_empty else (),
        guide=guide.guide_of(session(), drafts(), viewer_id()),
    )


@blueprint.post("/workflows/folders")
def rename_folder() -> Any:
    path = request.form.get("folder", "")
    try:
        renamed = folders.read(request.form.get("name"))
        folders.rename(session(), viewer_id(), path, renamed)
    except Invalid as error:
        session().rollback()
        tell(
            gettext("The folder was not renamed: its name %(problem)s.", problem=said(error.problems[0].message)),
            "error",
        )
        return redirect(url_for("ui.workflows", folder=path), 303)
    return redirect(url_for("ui.workflows", folder=renamed), 303)


@blueprint.post("/workflows/folders/delete")
def delete_folder() -> Any:
    path = request.form.get("folder", "")
    moved = folders.remove(session(), viewer_id(), path)
    tell(ngettext("Folder deleted. %(count)s workflow moved.", "Folder deleted. %(count)s workflows moved.", moved))
    return redirect(url_for("ui.workflows", folder=path.rpartition("/")[0] or None), 303)


@blueprint.get("/workflows/deleted")
def list_deleted_workflows() -> str:
    return render_template("workflows/deleted.html", rows=deleted_workflows.list_deleted(session(), viewer_id()))


@blueprint.post("/workflows/deleted/<uuid:workflow_id>/restore")
def restore_workflow(workflow_id: UUID) -> Any:
    name = deleted_workflows.restore(session(), backends().settings, viewer_id(), workflow_id)
    tell(gettext("“%(name)s” was restored.", name=name))
    return redirect(url_for("ui.workflow", workflow_id=workflow_id), 303)


@blueprint.post("/workflows/deleted/<uuid:workflow_id>/purge")
def purge_workflow(workflow_id: UUID) -> Any:
    try:
        deleted_workflows.purge(session(), viewer_id(), workflow_id)
    except NotFound:
        session().rollback()  # somebody else's, or gone already
    tell(gettext("Deleted permanently."))
    return redirect(url_for("ui.list_deleted_workflows"), 303)


def _requested_filter() -> WorkflowFilter:
    enabled, draft = _ASKED.get(request.args.get("state", ""), (None, None))
    asked = request.args
    return WorkflowFilter(asked.get("q", ""), enabled, draft, asked.get("tag") or None, asked.get("folder") or None)


def _requested_order() -> Order:
    """Read the order; a value that makes no sense is the usual one, since addresses may be old, or typed."""
    by = request.args.get("sort", "")
    sort = Sort(by) if by in set(Sort) else Sort.CREATED
    is_reversed = request.args.get("reversed") == "1"
    return Order(sort, (sort not in _ASCENDING) is not is_reversed)


def sorted_by(order: Order, by: Sort, label: str) -> dict[str, str | None]:
    """What the heading of a column is made of: its label, the address that orders by it, how it is ordered now."""
    is_current = order.by == by
    is_reversed = is_current and "reversed" not in request.args
    direction = ("descending" if order.descending else "ascending") if is_current else None
    return {"label": label, "link": _link(sort=by, reversed="1" if is_reversed else None), "direction": direction}


def _link(**changes: Any) -> str:
    """Build the address of this list with something changed, at its first page."""
    return asked_again(url_for("ui.workflows"), **{"after": None, **changes})
