"""Connections and named secrets: what steps need to reach a service."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from werkzeug.exceptions import NotFound as PageNotFound

from flowforge.connections import named_secrets
from flowforge.connectors.catalog import load_catalog
from flowforge.db.tables import Connection
from flowforge.errors import Conflict, Invalid, Problem
from flowforge.workflows.connection_uses import connection_uses
from webapp.context import backends, session
from webapp.services import connections as operations
from webapp.ui.base import blueprint
from webapp.ui.forms import config_from_form, fields_of
from webapp.ui.guard import viewer_id


@blueprint.get("/connections")
def connections() -> str:
    return _list_page()


@blueprint.get("/connections/new")
def new_connection() -> str:
    """`type`: which one is chosen."""
    type_ = request.args.get("type", "")
    return (
        _form_page(type_, None, {}, ())
        if type_ in _types()
        else render_template("connections/types.html", types=_types().values(), steps=_steps_by_connection())
    )


@blueprint.post("/connections/new")
def create_connection() -> Any:
    """Create a connection and try it at once; it is kept even if that fails."""
    type_ = request.form.get("type", "")
    config = _config(type_, {})
    try:
        row = operations().create(
            session(), viewer_id(), {"name": request.form.get("name", "").strip(), "type": type_, "config": config}
        )
    except (Invalid, Conflict) as error:
        session().rollback()
        problems = (
            error.problems
            if isinstance(error, Invalid)
            else [Problem("/name", "is the name of another connection already")]
        )
        return _form_page(type_, None, config, problems), 400
    return _tried(row, "was created")


@blueprint.get("/connections/<uuid:connection_id>")
def connection(connection_id: UUID) -> str:
    row = operations().get(session(), viewer_id(), connection_id)
    return _form_page(row.type, row, operations().shown(row)["config"], ())


@blueprint.post("/connections/<uuid:connection_id>")
def update_connection(connection_id: UUID) -> Any:
    row = operations().get(session(), viewer_id(), connection_id)
    config = _config(row.type, {})
    try:
        row = operations().update(session(), viewer_id(), connection_id, {"config": config})
    except Invalid as error:
        session().rollback()
        return _form_page(row.type, row, config, error.problems), 400
    return _tried(row, "was saved")


@blueprint.post("/connections/<uuid:connection_id>/test")
def test_connection(connection_id: UUID) -> Any:
    return _tried(operations().get(session(), viewer_id(), connection_id), "")


@blueprint.post("/connections/<uuid:connection_id>/delete")
def delete_connection(connection_id: UUID) -> Any:
    name = operations().get(session(), viewer_id(), connection_id).name
    force = request.form.get("force") == "true"
    try:
        operations().delete(session(), viewer_id(), connection_id, force=force)
    except Conflict as error:
        flash(f"“{name}” was not deleted: {error}.", "error")
        return redirect(url_for("ui.connection", connection_id=connection_id), 303)
    flash(f"“{name}” was deleted.", "done")
    return redirect(url_for("ui.connections"), 303)


@blueprint.post("/connections/secrets")
def put_secret() -> Any:
    name = request.form.get("name", "").strip()
    try:
        named_secrets.put(session(), backends().vault, viewer_id(), name, request.form.get("value", ""))
    except Invalid as error:
        session().rollback()
        return _list_page(error.problems), 400
    except Conflict as error:
        session().rollback()
        return _list_page([Problem("/name", str(error))]), 409
    flash(f"“{name}” is kept. It is not shown again.", "done")
    return redirect(url_for("ui.connections"), 303)


@blueprint.post("/connections/secrets/<name>/delete")
def delete_secret(name: str) -> Any:
    named_secrets.remove(session(), viewer_id(), name)
    flash(f"“{name}” was deleted.", "done")
    return redirect(url_for("ui.connections"), 303)


def _tried(row: Connection, done: str) -> Any:
    """Says what was done, and whether the connection works."""
    said = f"“{row.name}” {done}" if done else f"“{row.name}”"
    if not operations().can_be_tested(row):
        flash(f"{said}.", "done")
        return redirect(url_for("ui.connections"), 303)
    tested = operations().test(session(), backends(), viewer_id(), row.id)
    if tested.tested_at is None:
        flash(f"{said}{'; it' if done else ''} cannot be tried without doing something.", "done")
        return redirect(url_for("ui.connections"), 303)
    if tested.problem is None:
        flash(f"{said}{', and works' if done else ' works'}.", "done")
        return redirect(url_for("ui.connections"), 303)
    flash(f"{said}{', but does not work' if done else ' does not work'}: {tested.problem}", "error")
    return redirect(url_for("ui.connection", connection_id=tested.id), 303)


def _types() -> dict[str, Any]:
    return {one["type"]: one for one in operations().types()}


def _steps_by_connection() -> dict[str, list[str]]:
    """The titles of the connectors that take a connection, by its type."""
    found: dict[str, list[str]] = {}
    for connector in map(load_catalog().get, load_catalog().types()):
        if connector.connection is not None:
            found.setdefault(connector.connection.name, []).append(connector.title)
    return found


def _config(type_: str, before: Mapping[str, Any]) -> dict[str, Any]:
    if type_ not in _types():
        raise PageNotFound
    return config_from_form(fields_of(_types()[type_]["config"]), request.form, before)


def _list_page(problems: Sequence[Problem] = ()) -> str:
    rows = operations().all(session(), viewer_id())
    uses = connection_uses(session(), operations().vault, viewer_id()) if rows else {}
    return render_template(
        "connections/list.html",
        rows=[(row, uses.get(row.name, ())) for row in rows],
        types=_types(),
        secrets=named_secrets.names(session(), viewer_id()),
        problems={problem.pointer.removeprefix("/"): problem.message for problem in problems},
        given=request.form,
    )


def _form_page(type_: str, row: Connection | None, config: Mapping[str, Any], problems: Sequence[Problem]) -> str:
    kind = _types().get(type_)
    if kind is None:
        raise PageNotFound
    notes: dict[str, str] = {}
    for problem in problems:
        notes.setdefault("/".join(problem.pointer.strip("/").split("/")[:2]), problem.message)
    return render_template(
        "connections/form.html",
        kind=kind,
        row=row,
        fields=fields_of(kind["config"]),
        config=config,
        notes=notes,
        name=request.form.get("name", ""),
        testable=kind["testable"],
        used_by=operations().used_by(session(), viewer_id(), row.name) if row else (),
    )
