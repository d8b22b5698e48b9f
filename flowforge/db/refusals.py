"""Changes that a key of the database refuses: a name that is taken, a row that is gone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from flowforge.errors import FlowForgeError


@contextmanager
def refused_as(session: Session, error: FlowForgeError) -> Iterator[None]:
    """Takes the transaction back and raises that error where a key refuses what the block writes."""
    try:
        yield
    except IntegrityError as refusal:
        session.rollback()
        raise error from refusal
