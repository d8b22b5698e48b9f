"""WSGI's environment of a request (PEP 3333)."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import IO, Any
from wsgiref.types import WSGIEnvironment
from wsgiref.util import FileWrapper

from webapp.intake.headers import AS_SENT
from webapp.live.connection_handoff import CAN_HAND_OFF
from webapp.server.request_head import RequestHead

Address = tuple[Any, ...] | str
"""Of a socket: host and port; of a Unix domain socket its path."""


def server_environ(address: Address, *, is_secure: bool, processes: int) -> WSGIEnvironment:
    """What is the same for all requests that come in at an address."""
    host, port = _host_and_port(address)
    return {
        "SERVER_NAME": host,
        "SERVER_PORT": port,
        "SERVER_SOFTWARE": "gunicorn",
        "SCRIPT_NAME": "",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "https" if is_secure else "http",
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": processes > 1,
        "wsgi.run_once": False,
        "wsgi.file_wrapper": FileWrapper,
        "wsgi.input_terminated": True,
        CAN_HAND_OFF: not is_secure,
    }


def request_environ(
    server: Mapping[str, Any], client: Mapping[str, str], head: RequestHead, body: IO[bytes]
) -> WSGIEnvironment:
    return {
        **server,
        **client,
        **head.headers,
        "REQUEST_METHOD": head.method,
        "RAW_URI": head.target,
        "PATH_INFO": head.path,
        "QUERY_STRING": head.query,
        "SERVER_PROTOCOL": head.protocol,
        "wsgi.input": body,
        AS_SENT: head.fields,
    }


def client_environ(address: Address) -> dict[str, str]:
    """Who is connected; nothing that a header says."""
    host, port = _host_and_port(address)
    return {"REMOTE_ADDR": host, "REMOTE_PORT": port}


def _host_and_port(address: Address) -> tuple[str, str]:
    return (address, "") if isinstance(address, str) else (str(address[0]), str(address[1]))
