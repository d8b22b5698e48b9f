"""Servers of files for the tests, each with one account: S3 by moto, SFTP by paramiko, FTP by pyftpdlib, WebDAV by
wsgidav."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from subprocess import PIPE
from typing import IO, Any

import botocore.session
import paramiko
from moto.server import ThreadedMotoServer
from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler, TLS_FTPHandler
from pyftpdlib.servers import ThreadedFTPServer
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wsgi import get_input_stream
from wsgidav.fs_dav_provider import FilesystemProvider
from wsgidav.wsgidav_app import WsgiDAVApp

from tests.connectors.certificate import make_certificate
from tests.services.serving import accepting, serving

USER, PASSWORD = "ada", "s3cret pass"
USER_KEY = paramiko.ECDSAKey.generate()
"""The private key that SFTP takes instead of the password."""


@dataclass(frozen=True)
class FileServer:
    """A server, the connection that reaches it, and what is on it."""

    kind: str
    connection: Mapping[str, Any]
    write: Callable[[str, bytes], object]
    read: Callable[[str], bytes]


@contextmanager
def running_s3(folder: Path) -> Iterator[FileServer]:
    del folder
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    client = botocore.session.get_session().create_client(
        "s3", "us-east-1", endpoint_url=endpoint, aws_access_key_id=USER, aws_secret_access_key=PASSWORD
    )
    client.create_bucket(Bucket="orders")
    connection = {"bucket": "orders", "endpoint": endpoint, "accessKeyId": USER, "secretAccessKey": PASSWORD}
    try:
        yield FileServer(
            "s3",
            connection,
            lambda path, content: client.put_object(Bucket="orders", Key=path, Body=content),
            lambda path: client.get_object(Bucket="orders", Key=path)["Body"].read(),
        )
    finally:
        for found in client.list_objects_v2(Bucket="orders").get("Contents", []):
            client.delete_object(Bucket="orders", Key=found["Key"])
        client.delete_bucket(Bucket="orders")
        server.stop()


def _on_disk(kind: str, folder: Path, connection: dict[str, Any]) -> FileServer:
    def write(path: str, content: bytes) -> None:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)

    return FileServer(kind, connection, write, lambda path: (folder / path).read_bytes())


@contextmanager
def running_ftp(folder: Path, *, tls: bool = True, handler: type[FTPHandler] | None = None) -> Iterator[FileServer]:
    root = folder / "ftp"
    root.mkdir()
    certificate = make_certificate(folder, "127.0.0.1")
    authorizer = DummyAuthorizer()
    authorizer.add_user(USER, PASSWORD, str(root), perm="elradfmwMT")

    class Handler(handler or (TLS_FTPHandler if tls else FTPHandler)):  # type: ignore[misc]
        certfile, keyfile = str(certificate.chain), str(certificate.key)
        tls_control_required = tls_data_required = True

    Handler.authorizer = authorizer
    server = ThreadedFTPServer(("127.0.0.1", 0), Handler)
    is_over = threading.Event()
    thread = threading.Thread(target=_serve_ftp, args=(server, is_over), daemon=True)
    thread.start()
    try:
        yield _on_disk(
            "ftp",
            root,
            {
                "host": "127.0.0.1",
                "port": server.address[1],
                "username": USER,
                "password": PASSWORD,
                "tls": "verify" if tls else "off",
                "authorities": certificate.authority.read_text(),
            },
        )
    finally:
        is_over.set()
        thread.join(5)


def _serve_ftp(server: ThreadedFTPServer, is_over: threading.Event) -> None:
    """Closed by the thread that serves: it would look at closed sockets otherwise."""
    while not is_over.is_set():
        server.serve_forever(timeout=0.05, blocking=False)
    server.close_all()


@contextmanager
def running_webdav(folder: Path) -> Iterator[FileServer]:
    root = folder / "webdav"
    root.mkdir()
    app = WsgiDAVApp(
        {
            "provider_mapping": {"/": FilesystemProvider(str(root))},
            "simple_dc": {"user_mapping": {"*": {USER: {"password": PASSWORD}}}},
            "http_authenticator": {"accept_basic": True, "accept_digest": False, "default_to_digest": False},
            "logging": {"enable": False},
            "verbose": 0,
        }
    )

    def limited(environ: Any, start_response: Any) -> Any:
        """Ends the input where the body ends, as wsgidav expects of its server."""
        return app({**environ, "wsgi.input": get_input_stream(environ)}, start_response)

    class Quiet(WSGIRequestHandler):
        def log(self, *_: Any) -> None:
            pass

    server = make_server("127.0.0.1", 0, limited, threaded=True, request_handler=Quiet)
    url = f"http://127.0.0.1:{server.server_port}/"
    with serving(server):
        yield _on_disk("webdav", root, {"url": url, "username": USER, "password": PASSWORD})


class _Account(paramiko.ServerInterface):
    def check_auth_password(self, username: str, password: str) -> int:
        return paramiko.AUTH_SUCCESSFUL if (username, password) == (USER, PASSWORD) else paramiko.AUTH_FAILED

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        is_known = username == USER and key.asbytes() == USER_KEY.asbytes()
        return paramiko.AUTH_SUCCESSFUL if is_known else paramiko.AUTH_FAILED

    def get_allowed_auths(self, username: str) -> str:
        return "password,publickey"

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return paramiko.OPEN_SUCCEEDED

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        threading.Thread(target=_run_command, args=(channel, command.decode()), daemon=True).start()
        return True


def _run_command(channel: paramiko.Channel, command: str) -> None:
    """Runs it in a shell, as sshd does, once the client has been told that it may: a command that ends before that
    closes the channel, which looks like a refusal."""
    channel.get_transport().global_request("is-told@flowforge.test", wait=True)
    with subprocess.Popen(["/bin/sh", "-c", command], stdin=PIPE, stdout=PIPE, stderr=PIPE, env={}) as child:
        copies = [threading.Thread(target=copy, args=(channel, child)) for copy in (_give_input, _take_errors)]
        for copy in copies:
            copy.start()
        _copy(child.stdout, channel.sendall)
        copies[1].join()
        code = child.wait()
        with suppress(OSError, EOFError):
            if code >= 0:  # for a signal, there is no exit status (RFC 4254, 6.10)
                channel.send_exit_status(code)
            channel.close()
        copies[0].join()


def _give_input(channel: paramiko.Channel, child: subprocess.Popen[bytes]) -> None:
    with suppress(OSError, EOFError), child.stdin or nullcontext() as target:
        while target and (piece := channel.recv(64 * 1024)):
            target.write(piece)


def _take_errors(channel: paramiko.Channel, child: subprocess.Popen[bytes]) -> None:
    _copy(child.stderr, channel.sendall_stderr)


def _copy(source: IO[bytes] | None, send: Callable[[bytes], object]) -> None:
    with suppress(OSError, EOFError):
        while source and (piece := source.read1(64 * 1024)):  # type: ignore[attr-defined]
            send(piece)


class _Handle(paramiko.SFTPHandle):
    def __init__(self, file: Any, flags: int) -> None:
        super().__init__(flags)
        self.readfile = self.writefile = file

    def stat(self) -> Any:
        return paramiko.SFTPAttributes.from_stat(os.fstat(self.readfile.fileno()))


class _Folder(paramiko.SFTPServerInterface):
    root: Path

    def _path(self, path: str) -> Path:
        return self.root / path.lstrip("/").removeprefix("./")

    def list_folder(self, path: str) -> Any:
        try:
            entries = sorted(self._path(path).iterdir())
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno or 0)
        return [paramiko.SFTPAttributes.from_stat(entry.stat(), entry.name) for entry in entries]

    def stat(self, path: str) -> Any:
        try:
            return paramiko.SFTPAttributes.from_stat(self._path(path).stat())
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno or 0)

    lstat = stat

    def open(self, path: str, flags: int, attr: Any) -> Any:
        mode = "rb" if flags & (os.O_WRONLY | os.O_RDWR) == 0 else "wb"
        try:
            return _Handle(self._path(path).open(mode), flags)
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno or 0)

    def mkdir(self, path: str, attr: Any) -> int:
        return self._done(lambda: self._path(path).mkdir())

    def remove(self, path: str) -> int:
        return self._done(lambda: self._path(path).unlink())

    def rename(self, oldpath: str, newpath: str) -> int:
        return self._done(lambda: self._path(oldpath).rename(self._path(newpath)))

    def _done(self, change: Callable[[], object]) -> int:
        try:
            change()
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno or 0)
        return paramiko.SFTP_OK


@contextmanager
def running_sftp(folder: Path) -> Iterator[FileServer]:
    root_folder = folder / "sftp"
    root_folder.mkdir()
    key = paramiko.ECDSAKey.generate()

    class Root(_Folder):
        root = root_folder

    def serve(client: socket.socket) -> None:
        with suppress(paramiko.SSHException, EOFError, OSError):  # a client that dislikes the key goes at once
            transport = paramiko.Transport(client)
            transport.add_server_key(key)
            transport.set_subsystem_handler("sftp", paramiko.SFTPServer, Root)
            transport.start_server(server=_Account())

    with accepting(serve) as port:
        yield _on_disk(
            "sftp",
            root_folder,
            {
                "host": "127.0.0.1",
                "port": port,
                "username": USER,
                "password": PASSWORD,
                "hostKey": f"{key.get_name()} {key.get_base64()}",
            },
        )


RUNNING = {"s3": running_s3, "sftp": running_sftp, "ftp": running_ftp, "webdav": running_webdav}
"""By the kind of the connection."""
