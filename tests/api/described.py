"""The endpoints of the described interface, by Flask's names: what they declare, known before there is a database."""

from __future__ import annotations

from flask import Flask

from webapp import register_faces
from webapp.api.openapi import endpoints
from webapp.endpoint import Endpoint


def _declared() -> dict[str, Endpoint]:
    app = Flask("routes alone")
    register_faces(app)
    return endpoints(app)


OPERATIONS = _declared()
