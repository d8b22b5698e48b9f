"""sftp: files and commands on a server of SSH, whose key is known beforehand (RFC 4251, 4.1)."""

from __future__ import annotations

import base64
import io
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from flowforge.connectors.sdk import (
    ConnectionKind,
    ConnectorConfig,
    ConnectorError,
    Content,
    Credentials,
    Ended,
    field,
    ports,
    readable_key,
    remote_files,
    run_command,
    seconds_to_connect,
    secret,
)

if TYPE_CHECKING:  # where it is used it is imported, since few need it, and it takes its time to load
    import paramiko

_PIECE_BYTES = 256 * 1024


class SftpServer(ConnectorConfig):
    host: str = field(title="Host", max_length=253)
    port: int = field(22, title="Port", ge=1, le=65535)
    username: str = field(title="User name", max_length=128)
    password: str = secret("", title="Password", description="Of the user, or of the private key.")
    private_key: str | None = secret(None, multiline=True, title="Private key", description="OpenSSH or PEM.")
    host_key: str = field(
        "",
        title="Host key",
        description="As in known_hosts: ssh-ed25519 AAAA…  Where it is left empty, testing the connection tells the one"
        " that the server shows; nothing is sent to a server without it.",
    )


class SshSession:
    """A session, signed in: files (RemoteFiles), where the server has SFTP, and commands."""

    def __init__(self, transport: Any) -> None:
        self._transport = transport

    @cached_property
    def _client(self) -> paramiko.SFTPClient:
        client: paramiko.SFTPClient | None = self._transport.open_sftp_client()
        if client is None:
            raise ConnectorError("the server has no SFTP", permanent=True)
        return client

    def run(self, command: str, given: Content | None, output: remote_files.Sink) -> Ended:
        """Runs a command to its end. Raises ConnectorError."""
        return run_command(self._transport, command, given, output)

    def entries(self, folder: str) -> Iterator[remote_files.Entry]:
        base = folder.rstrip("/")
        for found in self._client.listdir_iter(folder or "."):
            is_folder = stat.S_ISDIR(found.st_mode or 0)
            path = f"{base}/{found.filename}" if folder else found.filename
            size, moment = (None if is_folder else found.st_size), datetime.fromtimestamp(found.st_mtime or 0, UTC)
            yield remote_files.Entry(path, is_folder, size, moment)

    def read(self, path: str, target: remote_files.Sink) -> None:
        with self._client.open(path, "rb") as source:
            source.prefetch()
            while piece := source.read(_PIECE_BYTES):
                target.write(piece)

    def write(self, path: str, content: Content) -> None:
        with self._client.open(path, "wb") as target:
            target.set_pipelined(True)
            for piece in content.pieces():
                target.write(piece)

    def make_folder(self, path: str) -> None:
        with suppress(OSError):
            self._client.mkdir(path)

    def delete(self, path: str) -> None:
        self._client.remove(path)

    def move(self, path: str, target: str) -> None:
        self._client.rename(path, target)


@contextmanager
def _open(credentials: Credentials[SftpServer]) -> Iterator[SshSession]:
    import paramiko

    config, context = credentials.config, credentials.context
    dialer = context.tools.dialer
    wire = dialer.connect(config.host, config.port, context.deadline, ports.SSH_PORTS)
    transport: Any = None
    try:
        with wire, dialer.cutting(wire, context.deadline):
            transport = paramiko.Transport(wire)
            transport.banner_timeout = transport.auth_timeout = seconds_to_connect(context.deadline)
            _sign_in(transport, config, seconds_to_connect(context.deadline))
            yield SshSession(transport)
    except FileNotFoundError as error:
        raise ConnectorError("there is no such file or folder on the server", permanent=True, answered=True) from error
    except PermissionError as error:
        raise ConnectorError("the server does not permit that", permanent=True, answered=True) from error
    except paramiko.AuthenticationException as error:
        raise ConnectorError("the server refused the user name, password or key", permanent=True) from error
    except (paramiko.SSHException, OSError, EOFError) as error:
        raise ConnectorError(f"SSH failed: {' '.join(str(error).split()) or 'the connection ended'}", False) from error
    finally:
        if transport is not None:
            transport.close()


def _sign_in(transport: Any, config: SftpServer, seconds: float) -> None:
    """The key of the server is compared before anything of the user is sent."""
    transport.start_client(timeout=seconds)
    shown = transport.get_remote_server_key()
    known = f"{shown.get_name()} {shown.get_base64()}"
    if config.host_key.split()[:2] != known.split():
        raise ConnectorError(_unknown_key(config, known), permanent=True)
    if config.private_key:
        transport.auth_publickey(config.username, _private_key(config.private_key, config.password))
    else:
        transport.auth_password(config.username, config.password)


def _unknown_key(config: SftpServer, known: str) -> str:
    if not config.host_key.strip():
        return f"hostKey: the server shows {known} - write that here, once you have made sure that it is the server's"
    return f"hostKey: the server shows another key than the one given here: {known}"


def _private_key(text: str, password: str) -> paramiko.PKey:
    import paramiko

    for kind in (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey):
        try:
            return kind.from_private_key(io.StringIO(readable_key(text)), password or None)
        except (paramiko.SSHException, ValueError, base64.binascii.Error):  # type: ignore[attr-defined]
            continue
    raise ConnectorError("privateKey: cannot be read: it has to be OpenSSH or PEM, with its password", permanent=True)


SFTP = ConnectionKind(
    "sftp",
    SftpServer,
    title="SSH and SFTP",
    help="Files and commands on a server that is reached by SSH.",
    icon="key",
    keywords=("ssh", "sftp", "files", "command"),
    open=_open,
    test=Credentials.try_session,
)
