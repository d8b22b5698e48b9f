"""Started by a mail that arrives in a mailbox (contract.md, section 6)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from flowforge.connectors.sdk import secret
from flowforge.connectors.tools import make_guard
from flowforge.errors import Invalid
from flowforge.jsonio import JsonObject
from flowforge.settings import Settings
from flowforge.triggers.kind import Registered, TrialResult, TriggerConfig, TriggerKind
from flowforge.triggers.mailboxes.imap import MailboxTrouble, open_mailbox
from flowforge.triggers.mailboxes.mailbox import Mailbox, Server, StartWith

EMAIL = "email"
TEST_SECONDS = 20.0
_TLS_PORT, _CLEAR_PORT = 993, 143
_LONGEST_TEXT = 1_000


def _without_control_characters(text: str) -> str:
    """A line break would end the IMAP command that carries the text, and start another one."""
    if any(ord(character) < ord(" ") or character == "\x7f" for character in text):
        raise ValueError("must not contain control characters")
    return text


def _lower_case(value: Any) -> Any:
    return value.strip().lower() if isinstance(value, str) else value


Line = Annotated[str, Field(max_length=_LONGEST_TEXT), AfterValidator(_without_control_characters)]
Port = Annotated[int, Field(ge=1, le=65_535), WithJsonSchema({"type": ["integer", "string"]})]
"""A number, or a text that is one: the contract's clients send both. So with Flag."""
Flag = Annotated[bool, BeforeValidator(_lower_case), WithJsonSchema({"type": ["boolean", "string"]})]


def _may_be_half_written(schema: JsonObject) -> None:
    """Drop `required`: a schema cannot express that one of `username` and `emailAddress` is needed."""
    schema.pop("required")


class Config(TriggerConfig):
    model_config = ConfigDict(json_schema_extra=_may_be_half_written)

    username: Line = Field(title="Username", description="Of the mailbox.")
    email_address: Line = Field("", title="Email address", description="In place of `username`.")
    password: Line = secret(title="Password", description="Of the mailbox.")
    host: Line = Field("", title="Host", description="IMAP server. Empty: the instance's own.")
    port: Port | None = Field(None, title="Port", description="IMAP port.")
    secure: Flag | None = Field(None, title="Secure", description="Whether the port speaks TLS.")
    folder: Line = Field("INBOX", title="Folder", description="INBOX unless it says otherwise.")
    subject_contains: Line = Field("", title="Subject contains", description="Only mails with this in their subject.")
    from_address: Line = Field("", title="From address", description="Only mails with this in their sender.")
    start_with: Annotated[StartWith, BeforeValidator(_lower_case)] = Field(
        StartWith.NEW, title="Start with", description="Which mails count that are there already."
    )

    @model_validator(mode="before")
    @classmethod
    def _address_as_username(cls, written: Any) -> Any:
        if not isinstance(written, Mapping) or written.get("username"):
            return written
        return {**written, "username": written.get("emailAddress")}

    def mailbox(self, settings: Settings) -> Mailbox:
        return Mailbox(
            server=self._server(settings),
            username=self.username,
            password=self.password,
            folder=self.folder,
            subject_contains=self.subject_contains,
            from_address=self.from_address,
            start_with=self.start_with,
        )

    def _server(self, settings: Settings) -> Server:
        """The instance's own where the config names no host."""
        if self.host:
            secure = self.secure is not False
            return Server(self.host, self.port or (_TLS_PORT if secure else _CLEAR_PORT), secure)
        secure = settings.email_imap_secure if self.secure is None else self.secure
        return Server(settings.email_imap_host, self.port or settings.email_imap_port, secure)


class Email(TriggerKind[Config]):
    type = EMAIL
    title = "E-mail"
    help = "When a mail arrives in a mailbox"
    icon = "mail"
    keywords = (
        "imap",
        "inbox",
        "mailbox",
    )
    rank = 30
    config = Config
    can_be_tested = True

    def describe(self, config: Mapping[str, Any]) -> str:
        """The account."""
        return str(config.get("username") or config.get("emailAddress") or "A mailbox")

    def due_at(self, config: Mapping[str, Any], before: Registered, now: datetime) -> datetime | None:
        """Compute the next poll: at once for a trigger that is new, or whose config has changed."""
        return before.due_at if before.is_waiting and before.config == config else now

    def sample(self, config: Mapping[str, Any]) -> JsonObject:
        return {
            "subject": "An order",
            "from": "Ada Lovelace <ada@example.com>",
            "body": "Two cups, please.",
            "receivedDate": "2026-01-05T08:30:00.000Z",
            "contentType": "text",
            "to": ["orders@example.com"],
            "messageId": "<1@example.com>",
            "attachments": [],
            "cc": [],
            "replyTo": [],
            "text": "Two cups, please.",
            "html": "",
            "links": [{"url": "https://example.com/orders/17", "text": "Your order"}],
            "headers": {"list-id": "Orders <orders.example.com>"},
            "report": None,
        }

    def test(self, config: Mapping[str, Any], settings: Settings) -> TrialResult:
        """Signs in and opens the folder, for reading only."""
        try:
            mailbox = self.read(config).mailbox(settings)
        except Invalid as error:
            return TrialResult("the mailbox", str(error))
        try:
            with open_mailbox(mailbox, make_guard(settings), TEST_SECONDS):
                return TrialResult(mailbox.source)
        except MailboxTrouble as error:
            return TrialResult(mailbox.source, str(error))


KIND = Email()
