"""The dashboard: pages for people, over the same operations as the JSON API."""

from __future__ import annotations

from flask import Blueprint, render_template

blueprint = Blueprint("ui", __name__)


@blueprint.get("/")
def home() -> str:
    return render_template("home.html")


@blueprint.get("/sign-in")
def sign_in() -> str:
    return render_template("home.html")
