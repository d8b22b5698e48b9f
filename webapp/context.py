"""Access to the backends and to the request's database session."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Flask, Request, current_app, g, has_request_context, request
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from flowforge.audit.origin import Origin, session_info
from flowforge.db.tables import Base
from flowforge.wiring import Backends


class _SharedPool(SQLAlchemy):
    """Flask-SQLAlchemy on the backends' own engine: one pool per process, for every user of a connection."""

    def _make_engine(self, bind_key: str | None, options: dict[str, Any], app: Flask) -> Engine:
        return _backends_of(app).engine


def backends() -> Backends:
    return _backends_of(current_app)


def present_request() -> Request:
    """The request itself: Flask's `request` looks for it again each time that something is asked of it."""
    found: Request = request._get_current_object()  # type: ignore[attr-defined]
    return found


def session() -> Session:
    """This request's session. It is rolled back when the request ends: commit what must stay."""
    return db.session()


def note_account(user_id: UUID, via: str | None = None) -> None:
    """Notes whom the request speaks for; `via`: the first characters of a personal access token."""
    g.account_id, g.via = user_id, via


def known_account() -> UUID | None:
    """Whom the request speaks for, as far as somebody asked; no query."""
    found: UUID | None = g.get("account_id")
    return found


def _origin() -> Origin:
    """Returns where the acts of this request come from, for the audit log."""
    if not has_request_context():
        return Origin()
    via = g.get("via") or ("dashboard" if request.blueprint == "ui" else "API")
    return Origin(known_account(), request.remote_addr, g.get("request_id"), via)


def _backends_of(app: Flask) -> Backends:
    found: Backends = app.extensions["flowforge"]
    return found


# SQLAlchemy 2.1 refuses Flask-SQLAlchemy's copy of a base that has a type map, so it is given the tables alone.
db = _SharedPool(metadata=Base.metadata, session_options={"info": session_info(_origin)})
