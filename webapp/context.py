"""Access to the backends and to the request's database session."""

from __future__ import annotations

from typing import Any

from flask import Flask, current_app
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from flowforge.db.tables import Base
from flowforge.wiring import Backends


class _SharedPool(SQLAlchemy):
    """Flask-SQLAlchemy on the backends' own engine: one pool per process, for every user of a connection."""

    def _make_engine(self, bind_key: str | None, options: dict[str, Any], app: Flask) -> Engine:
        return _backends_of(app).engine


# SQLAlchemy 2.1 refuses Flask-SQLAlchemy's copy of a base that has a type map, so it is given the tables alone.
db = _SharedPool(metadata=Base.metadata)


def backends() -> Backends:
    return _backends_of(current_app)


def session() -> Session:
    """This request's session. It is rolled back when the request ends: commit what must stay."""
    return db.session()


def _backends_of(app: Flask) -> Backends:
    found: Backends = app.extensions["flowforge"]
    return found
