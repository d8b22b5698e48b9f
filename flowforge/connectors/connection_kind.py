"""The declaration of a connection kind: its fields, how it signs requests or opens a session, how it is tested."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, TypeVar

from pydantic import ValidationError, create_model

from flowforge.connectors.config import ConnectorConfig, located_messages, secret_keys
from flowforge.connectors.context import StepContext
from flowforge.connectors.errors import ConnectorError
from flowforge.connectors.http_client.pace import Pace
from flowforge.connectors.http_client.request import Request
from flowforge.connectors.http_client.response import Response
from flowforge.connectors.http_client.signing import basic_credentials
from flowforge.connectors.http_client.tls import PUBLIC, TlsIdentity
from flowforge.connectors.mail_transport.account import Account, MailTarget
from flowforge.connectors.mail_transport.addresses import is_mail_url, mail_target
from flowforge.connectors.signing_fields import SigningFields, TrialAddress
from flowforge.errors import Problem
from flowforge.icons import require_icon
from flowforge.jsonio import JsonObject
from flowforge.language.text_fields import LITERAL

C = TypeVar("C", bound=ConnectorConfig)
Model = type[C]
_TEST_URL = "testUrl"


@dataclass(frozen=True)
class ConnectionKind(Generic[C]):
    """A sort of credentials that people save under a name. Raises ValueError for an icon that the sprite does not have.

    Hooks may call the service by `credentials.context.tools`, keep tokens in `tools.tokens`, and add what they make of
    secrets to `context.secrets`. They raise ConnectorError.
    """

    type: str
    """The type of its connections in the API and the database: `http`."""
    config: Model[C]
    title: str
    help: str
    icon: str
    keywords: tuple[str, ...] = ()
    sign: Callable[[Request, Credentials[C]], Request] | None = None
    """Adds headers or query parameters to a request; requests a token first where it needs one."""
    signs_at_once: bool = False
    """Whether `sign` asks nobody and takes no time, so that it need not be called in a thread."""
    renew: Callable[[Response, Credentials[C]], bool] | None = None
    """After an answer 401: makes `sign` begin anew (a token is forgotten, a challenge kept); false where it cannot."""
    identify: Callable[[C], TlsIdentity] | None = None
    """The certificates by which connections to the service are made; None: the public ones."""
    open: Callable[[Credentials[C]], AbstractContextManager[Any]] | None = None
    """A session with a service that does not speak HTTP, signed in."""
    mail_account: Callable[[MailTarget, Credentials[C]], Account] | None = None
    """The account that it signs in to at a mail server, by IMAP or SMTP."""
    test: Callable[[Credentials[C]], bool] | None = None
    """Tries the credentials out without doing anything; false where that is not possible with these. Where there is
    none, and it signs requests, people can give an address to call."""

    def __post_init__(self) -> None:
        require_icon(self.icon)

    @property
    def signs(self) -> bool:
        """Whether it signs in to HTTP services: by what it adds to requests, or by a certificate."""
        return self.sign is not None or self.identify is not None

    @property
    def testable(self) -> bool:
        """Whether its connections can be tested at all."""
        return self.test is not None or self.signs

    def can_test(self, saved: Mapping[str, Any]) -> bool:
        """Whether there is a way to test this connection; the kind's own may find out that it cannot."""
        return self.test is not None or bool(self.signs and saved.get(_TEST_URL))

    @cached_property
    def saved_model(self) -> Model[ConnectorConfig]:
        """The model of a saved connection: the fields of the kind, and those that all have that sign."""
        common = self._common_models
        return create_model(f"Saved{self.config.__name__}", __base__=(*common, self.config)) if common else self.config

    @property
    def _common_models(self) -> tuple[Model[ConnectorConfig], ...]:
        if not self.signs:
            return ()
        return (SigningFields,) if self.test is not None else (SigningFields, TrialAddress)

    @cached_property
    def fields(self) -> tuple[str, ...]:
        """Its fields as they are written in a config: `webhookUrl`."""
        return tuple(self.config_schema()["properties"])

    @cached_property
    def own_fields(self) -> tuple[str, ...]:
        """Its fields but for those that all have that sign: a step's config can hold these itself."""
        return tuple(self.config.model_json_schema(by_alias=True)["properties"])

    def config_schema(self) -> JsonObject:
        """JSON Schema of a saved connection's config."""
        schema = self.saved_model.model_json_schema(by_alias=True)
        return {key: schema[key] for key in ("type", "properties", "required", "$defs") if key in schema}

    def secret_keys(self) -> tuple[str, ...]:
        return secret_keys(self.config)

    def problems(self, config: Mapping[str, Any], pointer: str) -> list[Problem]:
        """Problems of a config to be saved. It is taken literally: an expression has no meaning in a connection."""
        try:
            self.saved_model.model_validate(config, context=LITERAL)
        except ValidationError as error:
            return [Problem("/".join((pointer, *path)), message) for path, message in located_messages(error, config)]
        return []

    def credentials(self, config: C, context: StepContext) -> Credentials[C]:
        return Credentials(self, config, context)

    def read(self, saved: Mapping[str, Any], context: StepContext) -> Credentials[C]:
        """The credentials of a saved connection, its secrets in clear. Raises ConnectorError."""
        try:
            return self.credentials(self.config.model_validate(saved), context)
        except ValidationError as error:
            fields = "; ".join(f"{'.'.join(path)}: {message}" for path, message in located_messages(error, saved))
            raise ConnectorError(f"the connection cannot be used: {fields}", permanent=True) from None

    def try_out(self, saved: Mapping[str, Any], context: StepContext) -> bool:
        """Whether a saved connection, its secrets in clear, was tested and works; false where it cannot be tested.
        Raises ConnectorError where it does not work."""
        credentials = self.read(saved, context)
        if self.test is not None:
            return self.test(credentials)
        url = saved.get(_TEST_URL)
        if not url:
            return False
        if is_mail_url(url):
            credentials.sign_in_to_mail(mail_target(url))
        else:
            context.tools.http.send(context, "GET", url, signed_by=credentials).raise_for_status("the address")
        return True


@dataclass(frozen=True, slots=True)
class Credentials(Generic[C]):
    """The config of a connection kind, ready for one attempt of a step: a Signer."""

    kind: ConnectionKind[C]
    config: C
    context: StepContext

    def sign(self, request: Request) -> Request:
        """Raises ConnectorError, also where the connection is bound to other hosts."""
        self.context.binding.require(request.url)
        return request if self.kind.sign is None else self.kind.sign(request, self)

    @property
    def identity(self) -> TlsIdentity:
        return PUBLIC if self.kind.identify is None else self.kind.identify(self.config)

    @property
    def signs_at_once(self) -> bool:
        return self.kind.sign is None or self.kind.signs_at_once

    @property
    def pace(self) -> Pace:
        return self.context.pace

    def renew(self, refusal: Response) -> bool:
        return self.kind.renew is not None and self.kind.renew(refusal, self)

    def hide(self, sent: str) -> None:
        """Masks what was made of the credentials in outputs and errors: many a receiver repeats what it was sent."""
        if sent not in self.context.secrets:
            self.context.secrets.append(sent)

    def basic(self, username: str, password: str) -> str:
        """The value of the header Authorization (RFC 7617, 2), masked from now on where it holds a password."""
        encoded = basic_credentials(username, password)
        if password:
            self.hide(encoded)
        return f"Basic {encoded}"

    def mail_account(self, target: MailTarget) -> Account:
        """The account at a mail server that a step or a trigger wants, completed by the connection. Raises
        ConnectorError."""
        if self.kind.mail_account is None:
            raise ConnectorError(f"a connection of the kind {self.kind.type} has no mail server", permanent=True)
        return self.kind.mail_account(target, self)

    def sign_in_to_mail(self, target: MailTarget) -> None:
        """Signs in and does nothing else. Raises ConnectorError."""
        mail, account = self.context.tools.mail, self.mail_account(target)
        open_session = mail.imap_session if target.protocol == "imap" else mail.session
        with open_session(account, self.context.deadline):
            return

    def open(self) -> AbstractContextManager[Any]:
        """Raises ConnectorError for a kind that has no sessions."""
        if self.kind.open is None:
            raise ConnectorError(f"a connection of the kind {self.kind.type} cannot be opened", permanent=True)
        return self.kind.open(self)

    def try_session(self) -> bool:
        """Signs in and does nothing else; true, since it raises ConnectorError where that is not possible."""
        with self.open():
            return True
