"""Rules for mails by the instance's own server, which all accounts share: it is no relay."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from uuid import UUID

from flowforge.connectors.errors import ConnectorError
from flowforge.mail.addresses import Address
from flowforge.mail.composing import Mail

MOST_RECIPIENTS = 50
TakeAllowance = Callable[[UUID, int], bool]
"""Counts so many recipients for an account; false where they are more than it may write to today."""


@dataclass(frozen=True, slots=True)
class SharedAccount:
    """The way of one account to send by the instance's server, under the instance's address alone."""

    user_id: UUID
    sender: Address | None
    take_allowance: TakeAllowance

    def admit(self, mail: Mail) -> Mail:
        """Puts the instance's address in as the sender, and counts the recipients. Raises ConnectorError, permanent."""
        if self.sender is None:
            raise ConnectorError("SMTP_FROM is not set: the instance's mail server has no address to send under", True)
        recipients = len((*mail.to, *mail.cc, *mail.bcc))
        if recipients > MOST_RECIPIENTS:
            raise ConnectorError(
                f"a mail by the instance's own server may have {MOST_RECIPIENTS} recipients; this one has {recipients}",
                permanent=True,
            )
        if not self.take_allowance(self.user_id, recipients):
            raise ConnectorError("this account has sent all the mails that it may send today by this instance", True)
        return replace(mail, sender=self.sender)
