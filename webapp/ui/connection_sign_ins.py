"""Signing in with a connection: the way to the provider and back, a code for another device, signing out."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from flask import Response, flash, make_response, redirect, render_template, request, url_for
from flask_login import current_user

from flowforge.connections.sign_ins import Browser, SignIns
from flowforge.connections.views import ConnectionView, SignInView
from flowforge.connectors.connection_kinds.oauth2 import OAUTH2
from flowforge.errors import Conflict
from webapp.content_policy import page_policy
from webapp.context import backends, session
from webapp.translation.texts import gettext, said_by
from webapp.ui.base import blueprint
from webapp.ui.guard import viewer_id


def sign_in_of(row: ConnectionView | None) -> SignInView | None:
    """None for a connection that nobody signs in with, and for one that cannot be used as it is saved."""
    if row is None or row.type != OAUTH2.type:
        return None
    try:
        return _sign_ins().look(session(), _browser(), row.id)
    except Conflict:
        return None


def leading_to_provider(page: str) -> Response:
    """A page whose forms lead to a provider, and from there to whatever its organisation signs people in with."""
    response = make_response(page)
    response.headers["Content-Security-Policy"] = page_policy("https:", *_local_providers())
    return response


def redirect_address() -> str:
    """The address to be registered with providers: on the host of the dashboard, where the session is."""
    settings = backends().settings
    is_dashboard = settings.webhook_base_url and not settings.webhook_host
    base = settings.public_webhook_base if is_dashboard else request.host_url.rstrip("/")
    return base + url_for("ui.connection_callback")


@blueprint.post("/connections/<uuid:connection_id>/sign-in")
def begin_connection_sign_in(connection_id: UUID) -> Any:
    """Send the browser to the provider."""
    try:
        return redirect(_sign_ins().begin(session(), _browser(), connection_id, redirect_address()), 303)
    except Conflict as error:
        return _not_signed_in(connection_id, error)


@blueprint.get("/connections/oauth/callback")
def connection_callback() -> Any:
    """Take what the browser brings back from the provider."""
    try:
        connection_id = _sign_ins().finish(session(), _browser(), request.args, redirect_address())
    except Conflict as error:
        _tell(error)
        return redirect(url_for("ui.connections"), 303)
    return _signed_in(connection_id)


@blueprint.post("/connections/<uuid:connection_id>/device")
def begin_connection_device(connection_id: UUID) -> Any:
    """Get a code to be entered on any device."""
    try:
        _sign_ins().begin_device(session(), _browser(), connection_id)
    except Conflict as error:
        return _not_signed_in(connection_id, error)
    return _to(connection_id)


@blueprint.get("/connections/<uuid:connection_id>/device")
def connection_device(connection_id: UUID) -> Any:
    """Look whether the code was entered: the part of the page that shows it, again and again."""
    try:
        is_over = _sign_ins().ask_device(session(), _browser(), connection_id)
    except Conflict as error:
        _tell(error)
        is_over = True
    device = None if is_over else _sign_ins().look(session(), _browser(), connection_id).device
    if device is None:
        return Response(headers={"HX-Refresh": "true"})
    return render_template("connections/_device.html", connection_id=connection_id, device=device)


@blueprint.post("/connections/<uuid:connection_id>/device/check")
def check_connection_device(connection_id: UUID) -> Any:
    try:
        if _sign_ins().ask_device(session(), _browser(), connection_id):
            return _signed_in(connection_id)
    except Conflict as error:
        return _not_signed_in(connection_id, error)
    return _to(connection_id)


@blueprint.post("/connections/<uuid:connection_id>/sign-out")
def sign_out_of_connection(connection_id: UUID) -> Any:
    problem = _sign_ins().sign_out(session(), _browser(), connection_id)
    done = gettext("Disconnected: its tokens were deleted.")
    unrevoked = gettext("The provider did not revoke them: %(problem)s.", problem=problem) if problem else ""
    flash(f"{done} {unrevoked}".strip(), "done")
    return _to(connection_id)


def _sign_ins() -> SignIns:
    return SignIns(backends())


def _browser() -> Browser:
    return Browser(viewer_id(), current_user.session_id)


def _signed_in(connection_id: UUID) -> Any:
    identity = _sign_ins().look(session(), _browser(), connection_id).identity
    flash(gettext("Connected as %(name)s.", name=identity) if identity else gettext("Connected."), "done")
    return _to(connection_id)


def _not_signed_in(connection_id: UUID, error: Conflict) -> Any:
    _tell(error)
    return _to(connection_id)


def _tell(error: Conflict) -> None:
    session().rollback()
    flash(gettext("Sign-in failed: %(problem)s.", problem=said_by(error)), "error")


def _to(connection_id: UUID) -> Any:
    return redirect(url_for("ui.connection", connection_id=connection_id), 303)


def _local_providers() -> list[str]:
    """A provider on this machine has no certificate."""
    host = urlsplit(request.host_url).hostname
    return ["http:"] if host in ("localhost", "127.0.0.1") else []
