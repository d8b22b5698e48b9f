"""ftp: files on a server of FTP (RFC 959), with TLS (RFC 4217) unless it is switched off."""

from __future__ import annotations

import ftplib
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime

from flowforge.connectors.sdk import (
    AUTHORITIES_FIELD,
    ConnectionKind,
    ConnectorConfig,
    ConnectorError,
    Content,
    Credentials,
    StepContext,
    Tls,
    Watch,
    field,
    ports,
    remote_files,
    secret,
    tls_context,
)

_PIECE_BYTES = 256 * 1024


class FtpServer(ConnectorConfig):
    host: str = field(title="Host", max_length=253)
    port: int = field(21, title="Port", ge=1, le=65535)
    username: str = field("anonymous", title="User name", max_length=128)
    password: str = secret("", title="Password")
    tls: Tls = field(
        "verify",
        title="TLS",
        description="verify: the server has to show a certificate for its host; unverified: encrypted, whoever it is;"
        " off: all in clear, the password too.",
    )
    authorities: str | None = AUTHORITIES_FIELD


class GuardedFtp(ftplib.FTP_TLS):
    """A client of `ftplib`: its connections are made by our rules and cut at the deadline. It is always the one to
    connect, and for data to the address that it speaks to already, whatever the server says."""

    encoding = "utf-8"

    def __init__(self, config: FtpServer, context: StepContext, wire: socket.socket, watch: Watch) -> None:
        tls = tls_context(config.tls, config.authorities)
        super().__init__(context=tls or ssl.create_default_context())
        self.host = config.host
        self.sock = wire
        self._address = str(wire.getpeername()[0])
        self.af = wire.family
        self.file = wire.makefile("r", encoding=self.encoding)
        self._context_of_step = context
        self._watch = watch

    def ntransfercmd(self, cmd: str, rest: int | str | None = None) -> tuple[socket.socket, int | None]:
        _, port = self.makepasv()
        step = self._context_of_step
        data = step.tools.dialer.connect(self._address, port, step.deadline, frozenset({port}))
        try:
            self._watch.add(data)
            answer = self.sendcmd(cmd)
            if answer[0] == "2":
                answer = self.getresp()
            if answer[0] != "1":
                raise ftplib.error_reply(answer)  # noqa: S321  (no connection of its own)
            if self._prot_p:  # type: ignore[attr-defined]
                data = self.context.wrap_socket(data, server_hostname=self.host)
        except BaseException:
            data.close()
            raise
        return data, None


class FtpFiles:
    def __init__(self, client: GuardedFtp) -> None:
        self._client = client

    def entries(self, folder: str) -> Iterator[remote_files.Entry]:
        """By MLSD (RFC 3659)."""
        base = folder.rstrip("/")
        for name, facts in self._client.mlsd(folder, ["type", "size", "modify"]):
            if facts.get("type") in ("file", "dir"):
                path = f"{base}/{name}" if folder else name
                yield _entry(path, facts)

    def read(self, path: str, target: remote_files.Sink) -> None:
        self._client.retrbinary(f"RETR {path}", target.write, _PIECE_BYTES)

    def write(self, path: str, content: Content) -> None:
        self._client.voidcmd("TYPE I")
        with self._client.transfercmd(f"STOR {path}") as data:
            for piece in content.pieces():
                data.sendall(piece)
            if isinstance(data, ssl.SSLSocket):
                data.unwrap()
        self._client.voidresp()

    def make_folder(self, path: str) -> None:
        with suppress(ftplib.error_perm):
            self._client.mkd(path)

    def delete(self, path: str) -> None:
        self._client.delete(path)

    def move(self, path: str, target: str) -> None:
        self._client.rename(path, target)


def _entry(path: str, facts: dict[str, str]) -> remote_files.Entry:
    is_folder = facts["type"] == "dir"
    size = facts.get("size", "")
    modified = facts.get("modify", "")[:14]
    return remote_files.Entry(
        path,
        is_folder,
        int(size) if size.isdecimal() and not is_folder else None,
        datetime.strptime(modified, "%Y%m%d%H%M%S").replace(tzinfo=UTC) if modified.isdecimal() else None,
    )


@contextmanager
def _open(credentials: Credentials[FtpServer]) -> Iterator[FtpFiles]:
    config, context = credentials.config, credentials.context
    dialer = context.tools.dialer
    wire = dialer.connect(config.host, config.port, context.deadline, ports.FTP_PORTS)
    try:
        with wire, dialer.deadlines.watch(context.deadline) as watch:
            watch.add(wire)
            client = GuardedFtp(config, context, wire, watch)
            _sign_in(client, config)
            yield FtpFiles(client)
    except ssl.SSLCertVerificationError as error:
        raise ConnectorError("the server shows no certificate that can be trusted", permanent=True) from error
    except ftplib.error_perm as error:
        code = str(error)[:3]
        refused = "the server refused the user name or password" if code == "530" else f"the server refused it: {error}"
        raise ConnectorError(refused, permanent=True, answered=True) from error
    except (ftplib.Error, OSError, EOFError, ValueError) as error:
        raise ConnectorError(f"FTP failed: {' '.join(str(error).split()) or 'the connection ended'}", False) from error


def _sign_in(client: GuardedFtp, config: FtpServer) -> None:
    """Before TLS nothing is sent that is secret."""
    client.welcome = client.getresp()
    if config.tls != "off":
        client.auth()
    client.login(config.username, config.password, secure=False)
    if config.tls != "off":
        client.prot_p()


FTP = ConnectionKind(
    "ftp",
    FtpServer,
    title="FTP",
    help="Files on a server of FTP, with TLS (FTPS) unless it is switched off.",
    icon="globe",
    keywords=("ftp", "ftps", "files"),
    open=_open,
    test=Credentials.try_session,
)
