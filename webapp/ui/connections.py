"""Connections and named secrets: what steps need to reach a service."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from werkzeug.exceptions import NotFound as PageNotFound

from flowforge.connections import named_secrets
from flowforge.connections.changes import ConnectionChange, NewConnection
from flowforge.connections.views import ConnectionView
from flowforge.connectors.api_calls.fitting_connections import ConnectionOffer
from flowforge.connectors.connection_kinds.oauth2 import OAUTH2
from flowforge.connectors.presets.all_presets import matching_presets, presets
from flowforge.connectors.sdk import ConnectionKind
from flowforge.errors import Conflict, Invalid, Problem
from flowforge.sentences import message_of, sentence
from flowforge.triggers.kinds import trigger_kinds
from flowforge.workflows.api_steps import account_apis, connection_offers
from flowforge.workflows.connection_uses import connection_uses
from webapp.context import backends, session
from webapp.services import connections as operations
from webapp.translation.texts import gettext, said, said_by, translated
from webapp.ui import connection_dialog, connection_presets
from webapp.ui.base import blueprint
from webapp.ui.connection_sign_ins import leading_to_provider, redirect_address, sign_in_of
from webapp.ui.fitting_connections import wanted_fitting
from webapp.ui.guard import viewer_id
from webapp.ui.problems import by_field


@blueprint.get("/connections")
def connections() -> str:
    return _list_page()


@blueprint.get("/connections/new")
def new_connection() -> Any:
    """`type` or `preset`: what was chosen; without one that there is, the choice, of what `q` finds. `api`: what fits
    that one, or its `operation`; `step`, `trigger`: what fits one of that type."""
    if request.args.get("api"):
        return _new_for_api(request.args["api"])
    preset = presets().get(request.args.get("preset", ""))
    kind = _kinds().get(preset.type if preset else request.args.get("type", ""))
    if kind is None:
        return _choice_page(request.args.get("q", ""))
    return _form_page(kind, None, dict(preset.config) if preset else {}, ())


def _new_for_api(name: str) -> Any:
    """The form of the connection that fits, or of the one that was chosen by its number (`offer`); the choice where
    several fit."""
    api, offers = connection_offers(account_apis(session(), viewer_id()), name, request.args.get("operation", ""))
    number = request.args.get("offer", 0 if len(offers) == 1 else None, type=int)
    if number is None or not 0 <= number < len(offers):
        return _choice_page("", offers, api.title)
    offer = offers[number]
    return _form_page(_kind(offer.type), None, offer.config, (), offer.preset, name)


@blueprint.post("/connections/new")
def create_connection() -> Any:
    """Create a connection and try it at once; it is kept even if that fails."""
    kind = _kind(request.form.get("type", ""))
    preset = presets().get(request.form.get("preset", ""))
    config = connection_presets.read(kind, request.form, preset.config if preset else {}, is_new=True)
    wanted = {"name": request.form.get("name", "").strip(), "type": kind.type, "config": config}
    try:
        created = operations().create(session(), viewer_id(), NewConnection.read(wanted, _kinds()))
    except Invalid as error:
        session().rollback()
        return _form_page(kind, None, config, error.problems), 400
    except Conflict:
        session().rollback()
        taken = Problem("/name", sentence("is the name of another connection already"))
        return _form_page(kind, None, config, [taken]), 400
    return _tested(created, gettext("“%(name)s” created.", name=created.name))


@blueprint.get("/connections/<uuid:connection_id>")
def connection(connection_id: UUID) -> Any:
    row = operations().get(session(), viewer_id(), connection_id)
    if connection_dialog.is_asking() and "edit" not in request.args:
        return connection_dialog.show(row)
    return _form_page(_kind(row.type), row, row.config, ())


@blueprint.post("/connections/<uuid:connection_id>")
def update_connection(connection_id: UUID) -> Any:
    row = operations().get(session(), viewer_id(), connection_id)
    kind = _kind(row.type)
    config = connection_presets.read(kind, request.form, row.config, is_new=False)
    try:
        row = operations().update(session(), viewer_id(), connection_id, ConnectionChange(config))
    except Invalid as error:
        session().rollback()
        return _form_page(kind, row, config, error.problems), 400
    return _tested(row, gettext("“%(name)s” saved.", name=row.name))


@blueprint.post("/connections/<uuid:connection_id>/test")
def test_connection(connection_id: UUID) -> Any:
    return _tested(operations().get(session(), viewer_id(), connection_id), "")


@blueprint.post("/connections/<uuid:connection_id>/delete")
def delete_connection(connection_id: UUID) -> Any:
    name = operations().get(session(), viewer_id(), connection_id).name
    force = request.form.get("force") == "true"
    try:
        operations().delete(session(), viewer_id(), connection_id, force=force)
    except Conflict as error:
        flash(gettext("“%(name)s” was not deleted: %(problem)s.", name=name, problem=said_by(error)), "error")
        return redirect(url_for("ui.connection", connection_id=connection_id), 303)
    flash(gettext("“%(name)s” deleted.", name=name), "done")
    return redirect(url_for("ui.connections"), 303)


@blueprint.post("/connections/secrets")
def put_secret() -> Any:
    name = request.form.get("name", "").strip()
    try:
        named_secrets.put_secret(session(), backends().vault, viewer_id(), name, request.form.get("value", ""))
    except Invalid as error:
        session().rollback()
        return _list_page(error.problems), 400
    except Conflict as error:
        session().rollback()
        return _list_page([Problem("/name", message_of(error))]), 409
    flash(gettext("“%(name)s” saved. Its value is not shown again.", name=name), "done")
    return redirect(url_for("ui.connections"), 303)


@blueprint.post("/connections/secrets/<name>/delete")
def delete_secret(name: str) -> Any:
    named_secrets.delete_secret(session(), viewer_id(), name)
    flash(gettext("“%(name)s” deleted.", name=name), "done")
    return redirect(url_for("ui.connections"), 303)


def _tested(row: ConnectionView, done: str = "") -> Any:
    """Tests it where it can be, and says what came of it after `done`, which says what was done."""
    if connection_dialog.is_asking():
        return connection_dialog.show(_tried(row))
    if done and sign_in_of(row) is not None:
        flash(done, "done")
        return redirect(url_for("ui.connection", connection_id=row.id), 303)
    if not row.can_be_tested:
        return _back_to_list(done)
    tested = operations().test(session(), backends(), viewer_id(), row.id)
    found = f"{done} {_describe_test(tested)}".strip()
    if tested.problem is None:
        return _back_to_list(found)
    flash(found, "error")
    return redirect(url_for("ui.connection", connection_id=tested.id), 303)


def _describe_test(tested: ConnectionView) -> str:
    if tested.tested_at is None:
        return gettext("“%(name)s” cannot be tested without side effects.", name=tested.name)
    if tested.problem is None:
        return gettext("“%(name)s” is connected.", name=tested.name)
    return gettext("“%(name)s” failed: %(problem)s", name=tested.name, problem=tested.problem)


def _tried(row: ConnectionView) -> ConnectionView:
    """The connection after a test, where it can be tested before somebody signs in."""
    if not row.can_be_tested or sign_in_of(row) is not None:
        return row
    return operations().test(session(), backends(), viewer_id(), row.id)


def _back_to_list(message: str) -> Any:
    flash(message, "done")
    return redirect(url_for("ui.connections"), 303)


def _kinds() -> Mapping[str, ConnectionKind[Any]]:
    return operations().catalog.connection_kinds


def _kind(name: str) -> ConnectionKind[Any]:
    """Raises NotFound."""
    if name not in _kinds():
        raise PageNotFound
    return _kinds()[name]


def _steps_by_kind() -> dict[str, list[str]]:
    """The titles of the connectors that take connections of a kind, by its name."""
    found: dict[str, list[str]] = {}
    catalog = operations().catalog
    for connector in catalog.connectors():
        for kind in catalog.kinds_for(connector):
            found.setdefault(kind.type, []).append(translated(connector.title))
    return found


def _triggers_by_kind() -> dict[str, list[str]]:
    """The titles of the triggers that take connections of a kind, by its name."""
    found: dict[str, list[str]] = {}
    for trigger in trigger_kinds().values():
        for kind in trigger.connection_kinds:
            found.setdefault(kind.type, []).append(translated(trigger.title))
    return found


def _list_page(problems: Sequence[Problem] = ()) -> str:
    rows = operations().all(session(), viewer_id())
    uses = connection_uses(session(), operations().vault, viewer_id()) if rows else {}
    return render_template(
        "connections/list.html",
        rows=[(row, uses.get(row.name, ())) for row in rows],
        kinds=_kinds(),
        secrets=named_secrets.list_secrets(session(), viewer_id()),
        problems=by_field(problems),
        entered=request.form,
    )


def _choice_page(words: str, offers: Sequence[ConnectionOffer] = (), api: str = "") -> str:
    """Presets and kinds that the words find, and first what fits an API."""
    wanted, fitting = words.lower().split(), wanted_fitting(operations().catalog, request.args)
    kinds = [kind for kind in (fitting.kinds if fitting else _kinds().values()) if _is_found(kind, wanted)]
    return render_template(
        connection_dialog.template("types"),
        words=words,
        presets=[each for each in matching_presets(words) if fitting is None or fitting.takes_preset(each)],
        kinds=kinds,
        steps=_steps_by_kind(),
        offers=offers,
        api=api,
        triggers=_triggers_by_kind(),
    )


def _is_found(kind: ConnectionKind[Any], words: Sequence[str]) -> bool:
    texts = (kind.title, kind.help)
    searched = " ".join((kind.type, *texts, *map(translated, texts), *kind.keywords)).lower()
    return all(word in searched for word in words)


def _form_page(
    kind: ConnectionKind[Any],
    row: ConnectionView | None,
    config: Mapping[str, Any],
    problems: Sequence[Problem],
    preset_name: str = "",
    name: str = "",
) -> Any:
    """`preset_name`: of a preset that the config does not name itself. `name`: one that is suggested."""
    notes: dict[str, str] = {}
    for problem in problems:
        notes.setdefault("/".join(problem.pointer.strip("/").split("/")[:2]), said(problem.message))
    preset = presets().get(str(config.get("preset") or request.values.get("preset", preset_name)))
    sign_in = sign_in_of(row)
    page = render_template(
        connection_dialog.template("form"),
        kind=kind,
        row=row,
        preset=preset,
        sign_in=sign_in,
        signs_in=kind.type == OAUTH2.type,
        scope_words=preset.words if preset else {},
        redirect_address=redirect_address(),
        fields=connection_presets.fields_for(
            kind, config, is_new=row is None, registered=backends().tools.oauth_clients
        ),
        config=connection_presets.shown(config),
        notes=notes,
        name=request.form.get("name", name),
        used_by=operations().used_by(session(), viewer_id(), row.name) if row else (),
    )
    return page if sign_in is None else leading_to_provider(page)
