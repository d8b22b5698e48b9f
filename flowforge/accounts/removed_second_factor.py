"""Removing the second factor of somebody who has lost the app and the recovery codes: a mail tells them."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from flowforge.accounts import administration, mails, second_factor
from flowforge.errors import Conflict, Unavailable
from flowforge.sentences import message_of, sentence
from flowforge.wiring import Backends


def remove(session: Session, backends: Backends, user_id: UUID) -> str | None:
    """The password alone signs the account in from then on. Commits. Returns why they could not be told by mail; None
    where they were, and where the instance sends none. Raises NotFound, and Conflict where there
    is no second factor."""
    account = administration.find(session, user_id)
    if not account.has_second_factor:
        raise Conflict(sentence("%(username)s has no second factor", username=account.username))
    second_factor.turn_off(session, user_id)
    if not mails.can_send(backends.settings):
        return None
    try:
        mails.send_second_factor_removed(backends, account.email, account.username)
    except Unavailable as error:
        return message_of(error)
    return None
