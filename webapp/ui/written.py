"""Fields that are shown as a text, JSON or an expression, in place of their rows or choices."""

from __future__ import annotations

from typing import Any

from flask import request

from flowforge.form_view import FORM_KIND
from webapp.ui.config_forms import wanted_kind
from webapp.ui.forms import ARRANGE, WRITE, WRITTEN


def is_written(name: str) -> bool:
    """Whether a field of that name was drawn as a text, or is to be from now on. Nothing is kept of it: a page that is
    loaded anew draws what it can."""
    pressed = request.values.get(ARRANGE, "")
    return pressed == f"{WRITE}:{name}" or (f"{name}.{WRITTEN}" in request.form and pressed != f"draw:{name}")


def shown_ways() -> dict[str, Any]:
    """What was chosen of how a form is drawn, and is stored nowhere: for a page that is loaded anew after the edit."""
    pressed, chosen = request.form.get(ARRANGE, ""), wanted_kind(request.form)
    writing = {ARRANGE: pressed} if pressed.startswith(f"{WRITE}:") else {}
    return writing | ({f"config.{FORM_KIND}": chosen} if chosen else {})
