"""Renewals of tokens: an address that others may know is replaced by another one, and goes on for a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Self
from uuid import uuid4

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from flowforge.db.tables import FormerWebhookToken, TriggerRegistration
from flowforge.errors import raise_any
from flowforge.field_reader import FieldReader
from flowforge.sentences import sentence

USUAL_MINUTES = 60
MOST_MINUTES = 30 * 24 * 60


@dataclass(frozen=True, slots=True)
class Renewal:
    overlap: timedelta
    """The time for which the former address goes on."""

    @classmethod
    def read(cls, raw: Mapping[str, Any]) -> Self:
        """Raises Invalid."""
        fields = FieldReader(raw)
        wrong = sentence("must be a whole number from 0 to %(most)s", most=MOST_MINUTES)
        minutes = fields.take("overlapMinutes", int, wrong, lambda given: 0 <= given <= MOST_MINUTES)
        raise_any(fields.problems)
        return cls(timedelta(minutes=USUAL_MINUTES if minutes is None else minutes))


def replace_token(session: Session, row: TriggerRegistration, renewal: Renewal) -> None:
    """Gives the registration another token; the caller makes its address, and commits."""
    now = datetime.now(UTC)
    ended = FormerWebhookToken.trigger_id == row.id, FormerWebhookToken.ends_at <= now
    session.execute(delete(FormerWebhookToken).where(*ended))
    if renewal.overlap and row.webhook_token is not None:
        session.add(FormerWebhookToken(token=row.webhook_token, trigger_id=row.id, ends_at=now + renewal.overlap))
    row.webhook_token = str(uuid4())


def find_by_former_token(session: Session, token: str) -> TriggerRegistration | None:
    """The registration that had the token, as long as that goes on."""
    goes_on = FormerWebhookToken.token == token, FormerWebhookToken.ends_at > datetime.now(UTC)
    return session.scalar(
        select(TriggerRegistration)
        .join(FormerWebhookToken, FormerWebhookToken.trigger_id == TriggerRegistration.id)
        .where(*goes_on)
    )
