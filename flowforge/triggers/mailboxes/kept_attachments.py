"""Attachments of a mail as files: small ones stay in its payload, others are kept for its event."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from uuid import UUID

from flowforge.errors import OverQuota, TooLarge
from flowforge.file_values import InlineFile
from flowforge.files.files import Files
from flowforge.files.inline_room import InlineRoom
from flowforge.jsonio import JsonObject
from flowforge.triggers.mailboxes.mail import Attached, left_out


@dataclass(frozen=True, slots=True)
class KeptAttachments:
    """Those of one mail, for the event that it becomes."""

    files: Files
    owner: UUID
    event_id: UUID
    _room: InlineRoom = field(default_factory=InlineRoom)

    def keep(self, attached: Attached) -> JsonObject:
        """The file as the payload has it; of one that is too large, or beyond the account's quota, what is known of it,
        and why it was left out. Raises Unavailable."""
        if self._room.take(len(attached.content)):
            return InlineFile.named(attached.name, attached.type, attached.content).as_json()
        content = io.BytesIO(attached.content)
        try:
            kept = self.files.keep(content, attached.name, attached.type, owner=self.owner, holder=self.event_id)
        except (TooLarge, OverQuota) as error:
            return left_out(attached, str(error))
        return kept.as_json()
