"""client_certificate: what the client shows of itself when the connection is made (mutual TLS; RFC 8446, 4.4.2)."""

from __future__ import annotations

from flowforge.connectors.sdk import ConnectionKind, ConnectorConfig, TlsIdentity, field, secret


class ClientCertificate(ConnectorConfig):
    certificate: str = field(multiline=True, title="Certificate", description="With its chain, as PEM.")
    key: str = secret(multiline=True, title="Key", description="As PEM, without a password.")
    authorities: str = field(
        "",
        multiline=True,
        title="Certificate authorities",
        description="Their certificates, as PEM: servers have to show one of theirs. Empty: the public authorities.",
    )


def _identify(config: ClientCertificate) -> TlsIdentity:
    return TlsIdentity(config.authorities, config.certificate, config.key)


CLIENT_CERTIFICATE = ConnectionKind(
    "client_certificate",
    ClientCertificate,
    title="Client certificate",
    help="A certificate that the client shows to the server (mutual TLS).",
    icon="key",
    keywords=("mtls", "tls", "certificate", "pem"),
    identify=_identify,
)
