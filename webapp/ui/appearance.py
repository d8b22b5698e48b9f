"""Settings of looks: theme and density. Pages are rendered in them, so that none flashes in another."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_login import current_user

from flowforge.accounts import appearance
from flowforge.accounts.appearance import Density, Theme
from flowforge.errors import Invalid
from webapp.context import session
from webapp.translation.texts import gettext, lazy
from webapp.ui.base import blueprint
from webapp.ui.guard import return_path, viewer_id
from webapp.ui.problems import by_field

THEMES = {Theme.SYSTEM: lazy("System"), Theme.LIGHT: lazy("Light"), Theme.DARK: lazy("Dark")}
DENSITIES = {Density.COMFORTABLE: lazy("Comfortable"), Density.COMPACT: lazy("Compact")}


@blueprint.get("/settings/appearance")
def appearance_settings() -> str:
    return _page()


@blueprint.post("/settings/appearance")
def save_appearance() -> Any:
    try:
        appearance.choose(session(), viewer_id(), request.form.get("theme", ""), request.form.get("density", ""))
    except Invalid as error:
        return _page(error.problems), 400
    flash(gettext("Saved."), "done")
    return redirect(url_for("ui.appearance_settings"), 303)


@blueprint.post("/settings/appearance/<theme>")
def switch_theme(theme: str) -> Any:
    """The other theme, and back to the page that somebody is on. Raises Invalid."""
    appearance.choose(session(), viewer_id(), theme, current_user.density)
    return redirect(return_path(request.form.get("back", "")), 303)


def _page(problems: Any = ()) -> str:
    return render_template("settings/appearance.html", themes=THEMES, densities=DENSITIES, problems=by_field(problems))
