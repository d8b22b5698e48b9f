"""FILE_TRANSFER against real servers: S3, SFTP, FTP with TLS, WebDAV."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from pyftpdlib.handlers import FTPHandler
from pytest_httpserver import HTTPServer

from flowforge.connectors.catalog import load_catalog
from flowforge.connectors.sdk import ConnectorError, StepContext
from tests.connectors.kept_files import KeptFiles
from tests.connectors.running import run_with
from tests.services.file_servers import RUNNING, USER_KEY, FileServer, running_ftp, running_sftp

MakeContext = Callable[..., StepContext]
CONTENT = bytes(range(256)) * 5_000


@pytest.fixture(params=RUNNING)
def file_server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[FileServer]:
    with RUNNING[request.param](tmp_path) as server:
        yield server


@pytest.fixture
def files() -> KeptFiles:
    return KeptFiles()


@pytest.fixture
def transfer(file_server: FileServer, make_context: MakeContext, files: KeptFiles) -> Callable[..., dict[str, Any]]:
    def run_step(connection: dict[str, Any] | None = None, **config: Any) -> dict[str, Any]:
        context = replace(make_context(seconds=20), files=files)
        saved = {**file_server.connection, **(connection or {})}
        return run_with("FILE_TRANSFER", file_server.kind, saved, config, context)

    return run_step


def inline(content: bytes) -> dict[str, Any]:
    return {"name": "a.bin", "type": "application/octet-stream", "base64": base64.b64encode(content).decode()}


def test_a_file_is_put_got_moved_and_deleted(transfer: Any, file_server: FileServer, files: KeptFiles) -> None:
    assert transfer(operation="put", path="a & b+ü%20.csv", file=inline(CONTENT)) == {
        "path": "a & b+ü%20.csv",
        "size": len(CONTENT),
    }
    assert file_server.read("a & b+ü%20.csv") == CONTENT
    got = transfer(operation="get", path="a & b+ü%20.csv")["file"]
    assert (got["name"], got["type"], got["size"]) == ("a & b+ü%20.csv", "text/csv", len(CONTENT))
    assert list(files.contents.values()) == [CONTENT]
    assert transfer(operation="move", path="a & b+ü%20.csv", target="c.csv") == {"path": "c.csv"}
    assert file_server.read("c.csv") == CONTENT
    transfer(operation="delete", path="c.csv")
    assert transfer(operation="list") == {"files": [], "count": 0}


def test_folders_that_are_not_there_are_made(transfer: Any, file_server: FileServer) -> None:
    for day in ("2026-03-04", "2026-03-05"):
        transfer(operation="put", path=f"in/{day}/a & b.txt", file=inline(b"1"))
        assert file_server.read(f"in/{day}/a & b.txt") == b"1"
    transfer(operation="move", path="in/2026-03-04/a & b.txt", target="done/2026/a.txt")
    assert file_server.read("done/2026/a.txt") == b"1"


def test_a_folder_that_cannot_be_made_is_told_as_the_file_is_put(transfer: Any, file_server: FileServer) -> None:
    if file_server.kind == "s3":
        pytest.skip("S3 has no folders")
    transfer(operation="put", path="taken", file=inline(b"1"))
    with pytest.raises(ConnectorError):
        transfer(operation="put", path="taken/a.txt", file=inline(b"2"))
    assert file_server.read("taken") == b"1"


def test_a_folder_is_listed(transfer: Any, file_server: FileServer) -> None:
    for path in ("in/a.txt", "in/b & c.txt", "in/deep/d.txt", "other.txt"):
        file_server.write(path, b"123")
    listed = transfer(operation="list", path="in")
    found = {entry["path"]: (entry["name"], entry["folder"], entry["size"]) for entry in listed["files"]}
    assert found == {
        "in/a.txt": ("a.txt", False, 3),
        "in/b & c.txt": ("b & c.txt", False, 3),
        "in/deep": ("deep", True, None),
    }
    assert all(entry["modifiedAt"].endswith("Z") for entry in listed["files"] if not entry["folder"])
    with pytest.raises(ConnectorError, match="mostFiles"):
        transfer(operation="list", path="in", mostFiles=2)


def test_what_is_not_there_is_told(transfer: Any) -> None:
    with pytest.raises(ConnectorError) as caught:
        transfer(operation="get", path="nothing.txt")
    assert caught.value.permanent


def test_a_file_that_is_too_large_is_not_read_to_its_end(
    transfer: Any, file_server: FileServer, files: KeptFiles
) -> None:
    file_server.write("large.bin", CONTENT)
    files.most_bytes = 1_000
    with pytest.raises(ConnectorError, match="1000") as caught:
        transfer(operation="get", path="large.bin")
    assert caught.value.permanent


def test_a_connection_is_tried_out(file_server: FileServer, make_context: MakeContext) -> None:
    kind = load_catalog().connection_kinds[file_server.kind]
    assert kind.try_out(dict(file_server.connection), make_context())


def test_a_wrong_password_is_told(file_server: FileServer, make_context: MakeContext) -> None:
    if file_server.kind == "s3":
        pytest.skip("moto takes every signature")
    kind = load_catalog().connection_kinds[file_server.kind]
    with pytest.raises(ConnectorError) as caught:
        kind.try_out({**file_server.connection, "password": "wr0ng"}, make_context())
    assert (caught.value.permanent, "wr0ng" in str(caught.value)) == (True, False)


def test_private_addresses_are_refused(file_server: FileServer, make_context: MakeContext) -> None:
    kind = load_catalog().connection_kinds[file_server.kind]
    with pytest.raises(ConnectorError, match="private network") as caught:
        kind.try_out(dict(file_server.connection), make_context(networks=""))
    assert caught.value.permanent


@pytest.mark.parametrize(
    ("config", "text"),
    [
        ({"operation": "put", "path": "x"}, "file is required"),
        ({"operation": "move", "path": "x"}, "target is required"),
        ({"operation": "get"}, "path is required"),
        ({"operation": "delete", "path": "a\r\nDELE b"}, "line break"),
        ({"operation": "list", "mostFiles": 0}, "mostFiles"),
    ],
)
def test_what_is_wrong_is_named(transfer: Any, config: dict[str, Any], text: str) -> None:
    with pytest.raises(ConnectorError, match=text):
        transfer(**config)


def test_a_copy_that_s3_fails_to_end_deletes_nothing(context: StepContext, httpserver: HTTPServer) -> None:
    failed = " \n<?xml version='1.0'?><Error><Code>InternalError</Code><Message>Please try again.</Message></Error>"
    httpserver.expect_request("/orders/b.txt", "PUT").respond_with_data(failed, content_type="application/xml")
    saved = {"bucket": "orders", "endpoint": httpserver.url_for(""), "accessKeyId": "a", "secretAccessKey": "b"}
    with pytest.raises(ConnectorError, match=r"S3 did not copy 'a\.txt': Please try again") as caught:
        run_with("FILE_TRANSFER", "s3", saved, {"operation": "move", "path": "a.txt", "target": "b.txt"}, context)
    assert not caught.value.permanent
    assert [request.method for request, _ in httpserver.log] == ["PUT"]


class TestSftp:
    def test_nothing_is_sent_to_a_server_whose_key_is_not_known(
        self, tmp_path: Path, make_context: MakeContext
    ) -> None:
        kind = load_catalog().connection_kinds["sftp"]
        with running_sftp(tmp_path) as server:
            key = server.connection["hostKey"]
            with pytest.raises(ConnectorError, match="the server shows") as caught:
                kind.try_out({**server.connection, "hostKey": ""}, make_context())
            assert key in str(caught.value), "so that it can be written down"
            with pytest.raises(ConnectorError, match="another key"):
                kind.try_out({**server.connection, "hostKey": key[:-8] + "AAAAAAAA"}, make_context())

    @pytest.mark.parametrize("line_break", ["\n", " ", "\\n"])
    def test_a_private_key_needs_no_line_breaks(
        self, tmp_path: Path, make_context: MakeContext, line_break: str
    ) -> None:
        written = StringIO()
        USER_KEY.write_private_key(written)
        key = written.getvalue().replace("\n", line_break)
        with running_sftp(tmp_path) as server:
            saved = {**server.connection, "password": "", "privateKey": key}
            assert load_catalog().connection_kinds["sftp"].try_out(saved, make_context())

    def test_a_server_that_says_nothing_is_not_waited_for(self, make_context: MakeContext, silent_port: int) -> None:
        for name in ("sftp", "ftp"):
            saved = {"host": "127.0.0.1", "port": silent_port, "username": "a", "password": "b", "hostKey": "x y"}
            with pytest.raises(ConnectorError) as caught:
                load_catalog().connection_kinds[name].try_out(saved, make_context(seconds=1))
            assert not caught.value.permanent


class TestFtp:
    def test_a_server_leads_data_nowhere_else(
        self, tmp_path: Path, make_context: MakeContext, httpserver: HTTPServer
    ) -> None:
        class Elsewhere(FTPHandler):
            masquerade_address = "127.0.0.2"

        with running_ftp(tmp_path, tls=False, handler=Elsewhere) as server:
            server.write("a.txt", b"abc")
            context = replace(make_context(), files=KeptFiles())
            listed = run_with("FILE_TRANSFER", "ftp", server.connection, {"operation": "list"}, context)
        assert [entry["path"] for entry in listed["files"]] == ["a.txt"]

    def test_a_server_without_tls_gets_no_password(self, tmp_path: Path, make_context: MakeContext) -> None:
        with running_ftp(tmp_path, tls=False) as server, pytest.raises(ConnectorError):
            load_catalog().connection_kinds["ftp"].try_out({**server.connection, "tls": "verify"}, make_context())

    def test_a_certificate_that_nobody_vouches_for_is_refused(self, tmp_path: Path, make_context: MakeContext) -> None:
        with running_ftp(tmp_path) as server, pytest.raises(ConnectorError, match="certificate"):
            load_catalog().connection_kinds["ftp"].try_out({**server.connection, "authorities": ""}, make_context())


class TestAnswersOfXml:
    @pytest.mark.parametrize(
        "content",
        [
            b"nonsense",
            b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>',
            '<?xml version="1.0" encoding="utf-16"?><!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>'.encode("utf-16"),
        ],
    )
    def test_nonsense_and_definitions_are_refused(
        self, make_context: MakeContext, httpserver: HTTPServer, content: bytes
    ) -> None:
        httpserver.expect_request("/orders").respond_with_data(content, content_type="application/xml")
        saved = {"bucket": "orders", "endpoint": httpserver.url_for(""), "accessKeyId": "a", "secretAccessKey": "b"}
        with pytest.raises(ConnectorError, match="XML"):
            load_catalog().connection_kinds["s3"].try_out(saved, make_context())


@pytest.mark.parametrize("target", ["a.txt", "/a.txt"])
def test_a_file_of_s3_that_is_moved_to_where_it_is_is_not_deleted(
    context: StepContext, httpserver: HTTPServer, target: str
) -> None:
    copied = "<CopyObjectResult><ETag>e</ETag></CopyObjectResult>"
    httpserver.expect_request("/orders/a.txt").respond_with_data(copied, content_type="application/xml")
    saved = {"bucket": "orders", "endpoint": httpserver.url_for(""), "accessKeyId": "a", "secretAccessKey": "b"}
    run_with("FILE_TRANSFER", "s3", saved, {"operation": "move", "path": "a.txt", "target": target}, context)
    assert "DELETE" not in [request.method for request, _ in httpserver.log]
