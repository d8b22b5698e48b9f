"""APIs: added by an address or a file, their operations chosen as actions, new files compared before they are taken."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for

from flowforge.api_registry.changes import ChosenActions, DescriptionSource, NewApi
from flowforge.api_registry.views import ApiView
from flowforge.apis.description import OperationEntry
from flowforge.errors import Conflict, Invalid, Problem
from flowforge.jsonio import JsonObject
from flowforge.sentences import message_of, sentence
from webapp.context import backends, session
from webapp.services import apis as operations
from webapp.translation.texts import gettext, ngettext, said_by
from webapp.ui.base import blueprint
from webapp.ui.guard import viewer_id
from webapp.ui.problems import by_field

_LONGEST_SEARCH = 100


@blueprint.get("/apis")
def apis() -> str:
    return _list_page()


@blueprint.post("/apis")
def create_api() -> Any:
    try:
        wanted = NewApi.read({"name": request.form.get("name", "").strip(), **_source()})
        created = operations().create(session(), backends(), viewer_id(), wanted)
    except Invalid as error:
        session().rollback()
        return _list_page(error.problems), 400
    except Conflict as error:
        session().rollback()
        return _list_page([Problem("/name", message_of(error))]), 409
    count = len(created.operations)
    flash(
        ngettext(
            "“%(name)s” added: %(count)s operation.",
            "“%(name)s” added: %(count)s operations.",
            count,
            name=created.title,
        ),
        "done",
    )
    return redirect(url_for("ui.api", api_id=created.id), 303)


@blueprint.get("/apis/<uuid:api_id>")
def api(api_id: UUID) -> str:
    """`q`: the words that the operations shown have."""
    return _api_page(operations().get(session(), viewer_id(), api_id))


@blueprint.post("/apis/<uuid:api_id>/actions")
def choose_actions(api_id: UUID) -> Any:
    """Choose among the operations that are shown; `all` takes all of them or none."""
    row = operations().get(session(), viewer_id(), api_id)
    shown = {entry.id for entry in _found(row.operations)}
    picked = {"yes": shown, "no": set()}.get(request.form.get("all", ""), set(request.form.getlist("action")))
    wanted = [id_ for id_ in row.actions if id_ not in shown] + sorted(picked & shown)
    changed = operations().choose(session(), viewer_id(), api_id, ChosenActions(tuple(wanted)))
    flash(
        ngettext(
            "%(count)s action of “%(name)s” is available in the builder.",
            "%(count)s actions of “%(name)s” are available in the builder.",
            len(changed.actions),
            name=changed.title,
        ),
        "done",
    )
    return redirect(url_for("ui.api", api_id=api_id, q=request.form.get("q") or None), 303)


@blueprint.post("/apis/<uuid:api_id>/versions")
def add_api_version(api_id: UUID) -> Any:
    """Keep another file, and show what it would change."""
    try:
        source = DescriptionSource.read(_source())
        version = operations().add_version(session(), backends(), viewer_id(), api_id, source)
    except Invalid as error:
        session().rollback()
        return _api_page(operations().get(session(), viewer_id(), api_id), error.problems), 400
    except Conflict as error:
        flash(gettext("The version was not added: %(problem)s.", problem=said_by(error)), "error")
        return redirect(url_for("ui.api", api_id=api_id), 303)
    if version.is_present:
        flash(gettext("Nothing changed: this version already exists."), "done")
        return redirect(url_for("ui.api", api_id=api_id), 303)
    return redirect(url_for("ui.api_version", api_id=api_id, version_id=version.id), 303)


@blueprint.get("/apis/<uuid:api_id>/versions/<uuid:version_id>")
def api_version(api_id: UUID, version_id: UUID) -> str:
    """Show what taking a version would change, and which steps that hits."""
    row = operations().get(session(), viewer_id(), api_id)
    found = operations().compare(session(), viewer_id(), api_id, version_id)
    titles = {entry.id: entry.title for entry in row.operations}
    return render_template("apis/version.html", row=row, found=found, titles=titles)


@blueprint.post("/apis/<uuid:api_id>/versions/<uuid:version_id>/take")
def take_api_version(api_id: UUID, version_id: UUID) -> Any:
    row = operations().take(session(), viewer_id(), api_id, version_id)
    flash(gettext("New steps use version %(version)s.", version=row.number or row.version), "done")
    return redirect(url_for("ui.api", api_id=api_id), 303)


@blueprint.post("/apis/<uuid:api_id>/versions/<uuid:version_id>/delete")
def drop_api_version(api_id: UUID, version_id: UUID) -> Any:
    try:
        operations().drop(session(), viewer_id(), api_id, version_id)
        flash(gettext("Version deleted."), "done")
    except Conflict as error:
        flash(gettext("The version was not deleted: %(problem)s.", problem=said_by(error)), "error")
    return redirect(url_for("ui.api", api_id=api_id), 303)


@blueprint.post("/apis/<uuid:api_id>/delete")
def delete_api(api_id: UUID) -> Any:
    row = operations().get(session(), viewer_id(), api_id)
    try:
        operations().delete(session(), viewer_id(), api_id, force=request.form.get("force") == "true")
    except Conflict as error:
        flash(gettext("“%(name)s” was not deleted: %(problem)s.", name=row.title, problem=said_by(error)), "error")
        return redirect(url_for("ui.api", api_id=api_id), 303)
    flash(gettext("“%(name)s” deleted.", name=row.title), "done")
    return redirect(url_for("ui.apis"), 303)


def _source() -> JsonObject:
    """Where the description comes from, as the API takes it. Raises Invalid."""
    uploaded, address = request.files.get("file"), request.form.get("address", "").strip()
    if uploaded is None or not uploaded.filename:
        return {"address": address}
    try:
        text = uploaded.read().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Invalid.at("/file", sentence("must be a text in UTF-8")) from error
    return {"file": text, "fileName": uploaded.filename[:200], "address": address}


def _list_page(problems: Sequence[Problem] = ()) -> str:
    rows = operations().all(session(), viewer_id())
    return render_template("apis/list.html", rows=rows, problems=by_field(problems), entered=request.form)


def _api_page(row: ApiView, problems: Sequence[Problem] = ()) -> str:
    found = _found(row.operations)
    return render_template(
        "apis/show.html",
        row=row,
        tags=[(tag, list(entries)) for tag, entries in groupby(_by_tag(found), key=lambda entry: entry.tag)],
        found=len(found),
        chosen=set(row.actions),
        refused={part.operation: part.reason for part in row.refused},
        users=operations().uses(session(), viewer_id(), row.name),
        q=request.values.get("q", ""),
        problems=by_field(problems),
        entered=request.form,
    )


def _by_tag(entries: Sequence[OperationEntry]) -> list[OperationEntry]:
    """The entries with those of a tag together, tags in the order of the file."""
    tags = {tag: number for number, tag in enumerate(dict.fromkeys(entry.tag for entry in entries))}
    return sorted(entries, key=lambda entry: tags[entry.tag])


def _found(entries: Sequence[OperationEntry]) -> list[OperationEntry]:
    """The entries that have all words of the search."""
    words = request.values.get("q", "")[:_LONGEST_SEARCH].lower().split()
    return [entry for entry in entries if all(word in _words(entry) for word in words)]


def _words(entry: OperationEntry) -> str:
    return f"{entry.id} {entry.method} {entry.path} {entry.title} {entry.tag} {entry.summary}".lower()
