"""Settings: the second factor, its setup by an authenticator app, and its recovery codes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import segno
from flask import flash, redirect, render_template, request, url_for

from flowforge.accounts import accounts, second_factor
from flowforge.accounts.second_factor import SecondStep
from flowforge.errors import Invalid, Problem
from webapp.attempts import counts_as_attempt
from webapp.context import backends, session
from webapp.translation.texts import gettext
from webapp.ui.base import blueprint
from webapp.ui.confirmation import confirm_password
from webapp.ui.guard import viewer_id
from webapp.ui.problems import by_field

_QR_SCALE = 5


@blueprint.get("/settings/second-factor")
def second_factor_settings() -> str:
    return _page()


@blueprint.post("/settings/second-factor")
def begin_second_factor() -> Any:
    second_factor.begin_setup(session(), backends().vault, viewer_id())
    return redirect(url_for("ui.second_factor_settings"), 303)


@blueprint.post("/settings/second-factor/confirm")
@counts_as_attempt
def confirm_second_factor() -> Any:
    """The answer itself shows the recovery codes: nothing could show them after a redirect."""
    try:
        confirm_password()
        codes = second_factor.confirm_setup(session(), viewer_id(), _entered_step())
    except Invalid as error:
        return _page(error.problems), 400
    return _page(codes=codes)


@blueprint.post("/settings/second-factor/recovery-codes")
@counts_as_attempt
def renew_recovery_codes() -> Any:
    try:
        confirm_password()
    except Invalid as error:
        return _page(error.problems), 400
    return _page(codes=second_factor.renew_recovery_codes(session(), viewer_id()))


@blueprint.post("/settings/second-factor/off")
@counts_as_attempt
def turn_second_factor_off() -> Any:
    try:
        confirm_password()
    except Invalid as error:
        return _page(error.problems), 400
    second_factor.turn_off(session(), viewer_id())
    flash(gettext("Two-factor authentication disabled."), "done")
    return redirect(url_for("ui.second_factor_settings"), 303)


def _entered_step() -> SecondStep:
    return SecondStep(backends().vault, request.form.get("code", ""))


def _page(problems: Sequence[Problem] = (), codes: Sequence[str] = ()) -> str:
    setup = second_factor.pending_setup(session(), backends().vault, viewer_id())
    return render_template(
        "settings/second_factor.html",
        since=accounts.get(session(), viewer_id()).totp_confirmed_at,
        required=backends().settings.second_factor_required,
        setup=setup,
        qr_code=segno.make(setup.uri, micro=False).svg_data_uri(scale=_QR_SCALE, light="white") if setup else "",
        codes=codes,
        problems=by_field(problems),
    )
