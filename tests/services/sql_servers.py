"""Servers of SQL databases for the tests, each as a connection of FlowForge's reaches it: over TCP, with TLS and a
password."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg2
import pymysql
import pytest

from flowforge.embedded import postgres
from flowforge.embedded.server import running
from tests.connectors.certificate import Certificate, make_certificate
from tests.services.folders import temporary_folder
from tests.services.kafka_broker import free_ports
from tests.services.processes import start_server
from tests.services.tls_front import tls_front
from tests.waiting import eventually

PASSWORD = "s3cret pass"
_HOSTS = "local all all trust\nhost all ada 127.0.0.1/32 scram-sha-256\n"


@dataclass(frozen=True)
class SqlServer:
    """A server, the connection that reaches it, and what its operator does."""

    kind: str
    connection: Mapping[str, Any]
    connect: Callable[[], Any]
    """Makes a connection of the driver (PEP 249) as the operator."""
    process: Callable[[], int]

    def administer(self, *statements: str) -> None:
        with closing(self.connect()) as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            connection.commit()

    def ask(self, statement: str) -> Sequence[Sequence[Any]]:
        with closing(self.connect()) as connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return list(map(tuple, cursor.fetchall()))


@pytest.fixture(scope="session")
def postgresql() -> Iterator[SqlServer]:
    with temporary_folder("flowforge-tests-") as folder, running_postgresql(folder) as server:
        yield server


@pytest.fixture(scope="session")
def mariadb() -> Iterator[SqlServer]:
    with temporary_folder("flowforge-tests-") as folder, running_mariadb(folder) as server:
        yield server


@pytest.fixture(scope="session", params=["postgresql", "mariadb"])
def sql_server(request: pytest.FixtureRequest) -> SqlServer:
    """Each of the servers."""
    server: SqlServer = request.getfixturevalue(request.param)
    return server


@contextmanager
def running_postgresql(folder: Path) -> Iterator[SqlServer]:
    prepared = postgres.prepare(folder)
    data = prepared.folder / "data"
    certificate = make_certificate(folder, "127.0.0.1")
    (data / "pg_hba.conf").write_text(_HOSTS)
    [port] = free_ports(1)
    options = {
        "listen_addresses": "127.0.0.1",
        "port": str(port),
        "fsync": "off",
    }
    settings = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
    url = f"{prepared.url}&port={port}"
    server = replace(prepared, command=(*prepared.command, *settings), url=url)
    with running(server, lambda: postgres.answers(url)), tls_front(port, certificate) as front:
        made = SqlServer(
            "postgresql",
            _connection(front, certificate, database="devdb"),
            lambda: psycopg2.connect(url),
            lambda: int((data / "postmaster.pid").read_text().split()[0]),
        )
        made.administer(f"CREATE ROLE ada LOGIN SUPERUSER PASSWORD '{PASSWORD}'")
        yield made


@contextmanager
def running_mariadb(folder: Path) -> Iterator[SqlServer]:
    data, socket = folder / "data", folder / "mariadb.sock"
    user = ["--user=root"] if os.geteuid() == 0 else []
    subprocess.run(
        ["mariadb-install-db", "--no-defaults", f"--datadir={data}", "--auth-root-authentication-method=normal", *user],
        capture_output=True,
        check=True,
    )
    certificate = _certificate_in(data)
    [port] = free_ports(1)
    command = [
        shutil.which("mariadbd") or "/usr/sbin/mariadbd",
        "--no-defaults",
        f"--datadir={data}",
        f"--socket={socket}",
        f"--port={port}",
        "--bind-address=127.0.0.1",
        f"--ssl-cert={certificate.chain}",
        f"--ssl-key={certificate.key}",
        "--innodb-flush-log-at-trx-commit=0",
        "--skip-name-resolve",
        *user,
    ]
    with (folder / "log").open("wb") as log:
        process = start_server(command, log)
    connect = lambda: pymysql.connect(unix_socket=str(socket), user="root", database="mysql")  # noqa: E731
    try:
        eventually(lambda: _answers(connect), every=0.1)
        made = SqlServer(
            "mysql", _connection(port, certificate, database="shop"), lambda: _in_shop(socket), lambda: process.pid
        )
        with closing(connect()) as connection, connection.cursor() as cursor:
            cursor.execute("CREATE DATABASE shop")
            cursor.execute("CREATE USER ada@'127.0.0.1' IDENTIFIED BY %s", [PASSWORD])
            cursor.execute("GRANT ALL ON *.* TO ada@'127.0.0.1'")
        yield made
    finally:
        process.terminate()
        process.wait(30)


def _in_shop(socket: Path) -> Any:
    return pymysql.connect(unix_socket=str(socket), user="root", database="shop")


def _answers(connect: Callable[[], Any]) -> bool:
    try:
        connect().close()
    except pymysql.err.Error:
        return False
    return True


def _connection(port: int, certificate: Certificate, database: str) -> dict[str, Any]:
    return {
        "host": "127.0.0.1",
        "port": port,
        "database": database,
        "username": "ada",
        "password": PASSWORD,
        "authorities": certificate.authority.read_text(),
    }


def _certificate_in(folder: Path) -> Certificate:
    """Readable for the user that the folder belongs to, and for nobody else."""
    certificate = make_certificate(folder, "127.0.0.1")
    owner = folder.stat()
    for file in (certificate.chain, certificate.key):
        os.chown(file, owner.st_uid, owner.st_gid)
        file.chmod(0o600)
    return certificate
