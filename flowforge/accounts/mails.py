"""Mails of the instance to people with an account, or who are to get one."""

from __future__ import annotations

import time
from collections.abc import Sequence
from uuid import UUID

from flowforge.accounts import invitations, links, password_resets
from flowforge.connectors.errors import ConnectorError
from flowforge.errors import Unavailable
from flowforge.ids import uuid7
from flowforge.mail import addresses
from flowforge.mail.addresses import Address
from flowforge.mail.composing import Mail
from flowforge.sentences import message_of, sentence
from flowforge.settings import Settings
from flowforge.wiring import Backends

_LONGEST_SECONDS = 20.0
_INVITATION = """\
{inviter} invites you to FlowForge, which automates work between services.

Open this link within {days} days to create your account:

  {link}

It works once. If you did not expect this, ignore it.
"""
_RESET = """\
Somebody, probably you, wants a new password for the account {username} on FlowForge.

Open this link within {hours} hours to set one:

  {link}

It works once, and signs you out everywhere else. If it was not you, ignore this mail: nothing changes.
"""
_SECOND_FACTOR_REMOVED = """\
The second factor of your account {username} on FlowForge was removed by whoever runs it: your password alone signs you
in.

You can set up another one in the settings:

  {link}

If you did not ask for this, tell whoever runs the server.
"""
_CONNECTION_BROKEN = """\
The connection {name} on FlowForge does not work any more:

  {problem}

Steps that use it wait, for a day at most, and go on by themselves once you have signed in again:

  {link}

Workflows that use it: {workflows}
"""
_MOST_NAMED = 20


def can_send(settings: Settings) -> bool:
    """Whether the instance has a mail server and an address of its own."""
    return bool(settings.smtp_host and settings.mail_sender)


def send_invitation(backends: Backends, to: str, inviter: str, token: str) -> None:
    """Raises Unavailable where the mail server did not take it."""
    link = links.invitation(backends.settings, token)
    text = _INVITATION.format(inviter=inviter, days=invitations.LIFETIME.days, link=link)
    _send(backends, to, "Your invitation to FlowForge", text)


def send_password_reset(backends: Backends, to: str, username: str, token: str) -> None:
    """Raises Unavailable where the mail server did not take it."""
    link = links.password_reset(backends.settings, token)
    text = _RESET.format(username=username, hours=password_resets.LIFETIME_HOURS, link=link)
    _send(backends, to, "A new password for FlowForge", text)


def send_second_factor_removed(backends: Backends, to: str, username: str) -> None:
    """Raises Unavailable where the mail server did not take it."""
    text = _SECOND_FACTOR_REMOVED.format(username=username, link=links.second_factor(backends.settings))
    _send(backends, to, "Your second factor on FlowForge was removed", text)


def send_connection_broken(
    backends: Backends, to: str, connection_id: UUID, name: str, problem: str, workflows: Sequence[str]
) -> None:
    """Raises Unavailable where the mail server did not take it."""
    link = links.connection(backends.settings, connection_id)
    named = ", ".join(workflows[:_MOST_NAMED]) or "none"
    text = _CONNECTION_BROKEN.format(name=name, problem=problem, link=link, workflows=named)
    _send(backends, to, f"Sign in again: {name}", text)


def _send(backends: Backends, to: str, subject: str, text: str) -> None:
    server = backends.tools.mail
    try:
        with server.own_session(time.monotonic() + _LONGEST_SECONDS) as conversation:
            conversation.deliver(_mail(server.sender, to, subject, text))
    except (ConnectorError, ValueError) as error:
        raise Unavailable(sentence("the mail could not be sent: %(error)s", error=message_of(error))) from error


def _mail(sender: Address | None, to: str, subject: str, text: str) -> Mail:
    """Raises ValueError where one of the addresses cannot be used."""
    if sender is None:
        raise ValueError(sentence("SMTP_FROM is not set"))
    headers = {"Auto-Submitted": "auto-generated"}  # RFC 3834: no absence note answers it
    return Mail(sender, [addresses.read(to)], subject, unique=str(uuid7()), text=text, headers=headers)
