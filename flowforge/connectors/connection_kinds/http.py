"""http: a bearer token, a user name and password, secret headers, or certificates, for any address."""

from __future__ import annotations

from collections.abc import Mapping

from flowforge.connectors.sdk import (
    ConnectionKind,
    ConnectorConfig,
    Credentials,
    Request,
    TlsIdentity,
    field,
    secret,
)


class HttpSignIn(ConnectorConfig):
    bearer_token: str | None = secret(None, title="Bearer token")
    username: str | None = field(None, title="User name", description="For basic authentication.")
    password: str | None = secret(None, title="Password")
    secret_headers: dict[str, str] = secret(
        {}, title="Secret headers", description="Headers whose values are kept secret."
    )
    authorities: str | None = field(
        None,
        multiline=True,
        title="Certificate authorities",
        description="Their certificates, as PEM: servers have to show one of theirs. Empty: the public authorities.",
    )
    client_certificate: str | None = field(
        None, multiline=True, title="Client certificate", description="Shown to servers that ask for one; PEM."
    )
    client_key: str | None = secret(None, multiline=True, title="Key of the client certificate", description="PEM.")


def _identify(config: HttpSignIn) -> TlsIdentity:
    return TlsIdentity(config.authorities or "", config.client_certificate or "", config.client_key or "")


def _sign(request: Request, credentials: Credentials[HttpSignIn]) -> Request:
    return request.with_headers({**credentials.config.secret_headers, **_authorization(credentials)})


def _authorization(credentials: Credentials[HttpSignIn]) -> Mapping[str, str]:
    """RFC 6750, 2.1 and RFC 7617, 2."""
    config = credentials.config
    if config.bearer_token:
        return {"Authorization": f"Bearer {config.bearer_token}"}
    if config.username is None:
        return {}
    return {"Authorization": credentials.basic(config.username, config.password or "")}


HTTP = ConnectionKind(
    "http",
    HttpSignIn,
    title="HTTP sign-in",
    help="A token, a user name and password, secret headers, or certificates, for any address.",
    icon="globe",
    keywords=("bearer", "basic", "header", "api key", "certificate", "mtls", "ca"),
    sign=_sign,
    signs_at_once=True,
    identify=_identify,
)
