"""Connections made in a dialog of the builder: the parts of the connections' pages that our script asks for."""

from __future__ import annotations

from flask import render_template, request

from flowforge.connections.views import ConnectionView
from webapp.ui.connection_sign_ins import sign_in_of

_PART = "X-Part"
"""The header by which our script asks for a part of a page."""


def is_asking() -> bool:
    return _PART in request.headers


def template(name: str) -> str:
    """The template of a page of connections, or that of its part for the dialog."""
    return f"connections/_{name}.html" if is_asking() else f"connections/{name}.html"


def show(row: ConnectionView) -> str:
    """Show what came of making the connection, and what is still to be done."""
    return render_template("connections/_made.html", row=row, sign_in=sign_in_of(row))
