"""Inviting somebody: a link, and a mail with it where there is an address and the instance sends mails."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from flowforge.accounts import administration, invitations, links, mails
from flowforge.accounts.invitations import InvitationView
from flowforge.accounts.registration import email_problems
from flowforge.db.tables import Role
from flowforge.errors import Unavailable, raise_any
from flowforge.sentences import message_of, sentence
from flowforge.views import view_of
from flowforge.wiring import Backends


@dataclass(frozen=True, slots=True)
class InvitationLink(InvitationView):
    url: str
    """It cannot be shown again."""
    mailed: bool
    mail_problem: str | None
    """Why the mail could not be sent."""


def invite(session: Session, backends: Backends, inviter_id: UUID, email: str | None, role: Role) -> InvitationLink:
    """Commits. Raises Invalid for what is no address or no role to invite to, and Forbidden for an administrator who
    invites another: only the owner may."""
    if email is not None:
        raise_any(email_problems(email))
    if role is not Role.MEMBER:
        administration.require_owner(session, inviter_id)
    inviter = administration.find(session, inviter_id).username
    made, token = invitations.create(session, inviter_id, email, role)
    problem = _mail(backends, email, inviter, token)
    url = links.invitation(backends.settings, token)
    return view_of(InvitationLink, made, url=url, mailed=bool(email) and problem is None, mail_problem=problem)


def _mail(backends: Backends, email: str | None, inviter: str, token: str) -> str | None:
    """Returns why it could not be sent."""
    if email is None:
        return None
    if not mails.can_send(backends.settings):
        return sentence("this server sends no mail (SMTP_HOST and SMTP_FROM are not set); hand the link over yourself")
    try:
        mails.send_invitation(backends, email, inviter, token)
    except Unavailable as error:
        return message_of(error)
    return None
