"""Started by a mail that arrives in a mailbox (contract.md, section 6)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from flowforge.connectors.connection_kinds.imap import IMAP
from flowforge.connectors.connection_kinds.oauth2 import OAUTH2
from flowforge.connectors.fitting import Fitting
from flowforge.connectors.sdk import (
    CONNECTION,
    Account,
    ConnectorError,
    MailTarget,
    Security,
    secret,
    without_control_characters,
)
from flowforge.engine.account_access import AccountAccess
from flowforge.engine.step_output import error_text
from flowforge.errors import Invalid
from flowforge.fields import field
from flowforge.jsonio import JsonObject
from flowforge.secrets import SecretUnreadable, open_fields
from flowforge.sentences import sentence
from flowforge.settings import Settings
from flowforge.triggers.kind import TrialResult, TriggerConfig
from flowforge.triggers.mailboxes.mailbox import EMAIL, Mailbox, StartWith
from flowforge.triggers.mailboxes.reader import read_new
from flowforge.triggers.polling.kind import PolledKind
from flowforge.triggers.polling.poll import Poll
from flowforge.triggers.summary import TriggerSummary

CONNECTION_KINDS = (IMAP, OAUTH2)
_LONGEST_TEXT = 1_000
_IN_THE_CONNECTION = ("emailAddress", "password")
"""Fields that have no meaning where there is a connection."""


def _lower_case(value: Any) -> Any:
    return value.strip().lower() if isinstance(value, str) else value


Line = Annotated[str, Field(max_length=_LONGEST_TEXT), AfterValidator(without_control_characters)]
Port = Annotated[int, Field(ge=1, le=65_535), WithJsonSchema({"type": ["integer", "string"]})]
"""A number, or a text that is one: the contract's clients send both. So with Flag."""
Flag = Annotated[bool, BeforeValidator(_lower_case), WithJsonSchema({"type": ["boolean", "string"]})]


class Config(TriggerConfig):
    connection: Line = Field(
        "",
        title="Connection",
        description="Signs in to the mailbox and provides user name, host and port where they are empty here.",
    )
    username: Line = Field("", title="Username", description="Of the mailbox.", validate_default=True)
    email_address: Line = field("", title="Email address", description="In place of `username`.", group="Server")
    password: Line = secret("", title="Password", description="Of the mailbox.", validate_default=True)
    host: Line = field(
        "", title="Host", description="IMAP server. Empty: the connection's, or the instance's own.", group="Server"
    )
    port: Port | None = field(None, title="Port", description="IMAP port.", group="Server")
    secure: Flag | None = field(None, title="Secure", description="Whether the port uses TLS.", group="Server")
    folder: Line = field("INBOX", title="Folder", description="Empty: INBOX.", group="Which mails")
    subject_contains: Line = field(
        "", title="Subject contains", description="Only mails whose subject contains this text.", group="Which mails"
    )
    from_address: Line = field(
        "", title="From address", description="Only from senders containing this text.", group="Which mails"
    )
    start_with: Annotated[StartWith, BeforeValidator(_lower_case)] = field(
        StartWith.NEW, title="Start with", description="Which existing mails are processed.", group="Which mails"
    )

    @model_validator(mode="before")
    @classmethod
    def _address_as_username(cls, written: Any) -> Any:
        if not isinstance(written, Mapping) or written.get("username"):
            return written
        return {**written, "username": written.get("emailAddress")}

    @field_validator("username", "password")
    @classmethod
    def _is_there(cls, text: str, info: ValidationInfo) -> str:
        if not text and not info.data.get(CONNECTION):
            raise ValueError(sentence("is required"))
        return text

    def mailbox(self, access: AccountAccess) -> Mailbox:
        """Raises ConnectorError where its connection cannot be used, SecretUnreadable, Unavailable."""
        return Mailbox(
            account=self._account(access),
            folder=self.folder,
            subject_contains=self.subject_contains,
            from_address=self.from_address,
            start_with=self.start_with,
        )

    def _account(self, access: AccountAccess) -> Account:
        if self.connection:
            target = self._target(self.host, self.port, self.secure)
            return access.connection(self.connection, CONNECTION_KINDS).mail_account(target)
        if self.host:
            return self._target(self.host, self.port, self.secure).account()
        settings = access.backends.settings  # the instance's own server
        secure = settings.email_imap_secure if self.secure is None else self.secure
        return self._target(settings.email_imap_host, self.port or settings.email_imap_port, secure).account()

    def _target(self, host: str, port: int | None, secure: bool | None) -> MailTarget:
        security: Security | None = None if secure is None else "tls" if secure else "none"
        return MailTarget("imap", host, port, security, self.username, self.password)


class Email(PolledKind[Config]):
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
    connection_kinds = CONNECTION_KINDS
    waiting = "the mails wait in the mailbox"
    fitting = Fitting(CONNECTION_KINDS, mail="imap")

    def summary(self, config: Mapping[str, Any]) -> TriggerSummary:
        """The account."""
        account = config.get("username") or config.get("emailAddress") or config.get(CONNECTION)
        return TriggerSummary(str(account)) if account else super().summary(config)

    def form_schema(self, config: Mapping[str, Any]) -> JsonObject:
        """Without the password where a connection signs in."""
        schema = self.config_schema()
        if not config.get(CONNECTION):
            return schema
        fields = schema["properties"].items()
        return {**schema, "properties": {key: field for key, field in fields if key not in _IN_THE_CONNECTION}}

    def is_on(self, settings: Settings) -> bool:
        return settings.email_polling_enabled

    def poll(self, poll: Poll) -> bool:

        config = poll.trigger.configuration
        if not isinstance(config, dict):
            raise Invalid.at("/configuration", sentence("must be an object"))
        opened = open_fields(config, self.secret_keys(), poll.backends.vault)
        return read_new(poll, self.read(opened).mailbox(poll.access))

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

    def test(self, config: Mapping[str, Any], access: AccountAccess) -> TrialResult:
        """Signs in and opens the folder, for reading only."""
        subject = "the mailbox"
        try:
            mailbox = self.read(config).mailbox(access)
            subject = mailbox.source
            with access.backends.tools.mail.open_folder(mailbox.account, mailbox.folder, access.deadline):
                return TrialResult(subject)
        except (Invalid, ConnectorError, SecretUnreadable) as error:
            return TrialResult(subject, error_text(error, access.secrets))


KIND = Email()
