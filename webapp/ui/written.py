"""Fields that are shown as a text, JSON or an expression, in place of their rows or choices."""

from __future__ import annotations

from flask import request

from webapp.ui.forms import ARRANGE, WRITE, WRITTEN


def is_written(name: str) -> bool:
    """Whether a field of that name was drawn as a text, or is to be from now on. Nothing is kept of it: a page that is
    loaded anew draws what it can."""
    pressed = request.values.get(ARRANGE, "")
    return pressed == f"{WRITE}:{name}" or (f"{name}.{WRITTEN}" in request.form and pressed != f"draw:{name}")


def pressed_write() -> str | None:
    """The button that shows a field as a text, if one was pressed: for a page that is loaded anew after the edit."""
    pressed = request.form.get(ARRANGE, "")
    return pressed if pressed.startswith(f"{WRITE}:") else None
