"""A mailbox that starts a workflow: its account, its folder, which mails count. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from flowforge.connectors.mail_transport.account import Account

EMAIL = "email"
"""The type of the triggers that read one."""


class StartWith(StrEnum):
    """The choice of mails, older than the trigger's first look into the mailbox, that start the workflow."""

    NEW = "new"  # those that arrived since the trigger was made
    UNSEEN = "unseen"  # those without the seen flag, as the originals have it


@dataclass(frozen=True, slots=True)
class Mailbox:
    account: Account
    folder: str = "INBOX"
    subject_contains: str = ""
    from_address: str = ""
    start_with: StartWith = StartWith.NEW

    @property
    def source(self) -> str:
        """Names the folder of the account: the uids of another one mean something else."""
        return f"{self.account.username}@{self.account.server}/{self.folder}"

    def accepts(self, subject: str, sender: str) -> bool:
        """Match both filters, as substrings without regard to case; an empty one always matches."""
        return (
            self.subject_contains.casefold() in subject.casefold() and self.from_address.casefold() in sender.casefold()
        )
