"""What the config of a trigger holds, as JSON Schema. The triggers themselves judge more (flowforge.triggers.schedule,
flowforge.triggers.mailbox, flowforge.engine.answers)."""

from __future__ import annotations

from typing import Any

from flowforge.engine.answers import DEFAULT_WAIT_SECONDS, LONGEST_WAIT_SECONDS, MODES
from flowforge.request_fields import MANUAL
from flowforge.triggers.mailbox import StartWith
from flowforge.triggers.schedule import DEFAULT_INTERVAL_MINUTES, LONGEST_INTERVAL_MINUTES, CatchUp

Json = dict[str, Any]


def _object(**properties: Json) -> Json:
    return {"type": "object", "properties": properties}


def _text(description: str) -> Json:
    return {"type": ["string", "null"], "description": description}


def _number(least: float, most: float, default: float, description: str, *, as_text: bool = False) -> Json:
    number: Json = {"type": "number", "minimum": least, "maximum": most}
    others: list[Json] = [{"type": "string"}] if as_text else []
    return {"anyOf": [number, *others, {"type": "null"}], "default": default, "description": description}


def _one_of(values: tuple[str, ...], description: str) -> Json:
    return {"enum": [*values, None], "default": values[0], "description": description}


_WEBHOOK = _object(
    respond=_one_of(MODES, "When the caller is answered."),
    respondTimeout=_number(
        1,
        LONGEST_WAIT_SECONDS,
        DEFAULT_WAIT_SECONDS,
        "Seconds the caller waits; then it gets the address of the answer.",
    ),
    secret={
        "type": "string",
        "description": "Callers sign the body with it (HMAC-SHA256, X-Hub-Signature-256). Empty: anybody may call.",
        "writeOnly": True,
    },
)
_SCHEDULER = _object(
    intervalMinutes=_number(
        1, LONGEST_INTERVAL_MINUTES, DEFAULT_INTERVAL_MINUTES, "Fires each time so many minutes are over.", as_text=True
    ),
    cron=_text("Five fields: minute, hour, day of month, month, day of week."),
    timeZone=_text("Of the cron expression, such as Europe/Berlin."),
    catchUp=_one_of(
        (CatchUp.LAST.value, CatchUp.ALL.value, CatchUp.NONE.value), "Which missed times fire when it runs again."
    ),
)
_EMAIL = _object(
    username=_text("Of the mailbox."),
    emailAddress=_text("In place of `username`."),
    password={"type": "string", "description": "Of the mailbox.", "writeOnly": True},
    host=_text("IMAP server. Empty: the instance's own."),
    port={"type": ["integer", "string", "null"], "description": "IMAP port."},
    secure={"type": ["boolean", "string", "null"], "description": "Whether the port speaks TLS."},
    folder=_text("INBOX unless it says otherwise."),
    subjectContains=_text("Only mails with this in their subject."),
    fromAddress=_text("Only mails with this in their sender."),
    startWith=_one_of(tuple(one.value for one in StartWith), "Which mails count that are there already."),
)

TRIGGERS: dict[str, Json] = {"webhook": _WEBHOOK, "scheduler": _SCHEDULER, "email": _EMAIL, MANUAL: {"type": "object"}}
