"""GMAIL_LABEL: add and remove labels of a mail.

https://developers.google.com/workspace/gmail/api/reference/rest/v1/users.messages/modify
"""

from __future__ import annotations

from flowforge.connectors.actions.gmail import GMAIL, ME
from flowforge.connectors.sdk import Calls, ServiceConfig, field
from flowforge.jsonio import JsonObject


class Config(ServiceConfig):
    message_id: str = field(title="Message id", min_length=1)
    add: list[str] = field(default_factory=list, title="Add", description="Ids of labels: STARRED, Label_7.")
    remove: list[str] = field(default_factory=list, title="Remove", description="Without UNREAD it counts as read.")


@GMAIL.action("GMAIL_LABEL", Config, title="label a mail", help="Adds and removes labels of a mail.", repeatable=True)
async def label(config: Config, gmail: Calls) -> JsonObject:
    changes = {"addLabelIds": config.add, "removeLabelIds": config.remove}
    return await gmail.post(f"{ME}/messages/{{}}/modify", config.message_id, json=changes)
