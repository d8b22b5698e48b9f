"""The operator's proxy: which calls go through it, where it is asked to lead, and the rules about addresses."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from pytest_httpserver import HTTPServer

from flowforge.connectors.network.proxy import ProxyBypass
from flowforge.connectors.sdk import ConnectorError, StepContext
from flowforge.settings import Settings
from tests.connectors.both_ways import step_loop  # noqa: F401  (each test that calls somebody runs twice)
from tests.connectors.certificate import Certificate, make_certificate
from tests.connectors.test_tls import called, serving_tls, trusting

MakeContext = Callable[..., StepContext]


class RecordingProxy:
    """A proxy that makes tunnels, and remembers what it was asked for."""

    def __init__(self, answer: bytes) -> None:
        self.asked: list[str] = []
        self._answer = answer
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://ada:pa%20ss@127.0.0.1:{self._listening.getsockname()[1]}"
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client:
            head = client.recv(8192).decode()
            self.asked.append(head)
            client.sendall(self._answer)
            host, _, port = head.split()[1].rpartition(":")
            if self._answer.startswith(b"HTTP/1.1 200") and host == "127.0.0.1":
                with socket.create_connection((host, int(port))) as server:
                    back = threading.Thread(target=_pour, args=(server, client), daemon=True)
                    back.start()
                    _pour(client, server)
                    back.join()

    def close(self) -> None:
        """Ends once nothing waits for a client any more, who would otherwise take those of the next proxy."""
        self._listening.shutdown(socket.SHUT_RDWR)
        self._accepting.join()
        self._listening.close()


def _pour(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        return


@contextmanager
def proxying(answer: bytes = b"HTTP/1.1 200 Connection established\r\n\r\n") -> Iterator[RecordingProxy]:
    proxy = RecordingProxy(answer)
    yield proxy
    proxy.close()


@pytest.fixture
def company(tmp_path: Path) -> Certificate:
    return make_certificate(tmp_path, "127.0.0.1")


def test_a_call_by_https_goes_through_it_and_names_who_asks(make_context: MakeContext, company: Certificate) -> None:
    with serving_tls(company) as url, proxying() as proxy:
        context = make_context(https_proxy=proxy.url)
        assert called(context, url, **trusting(company)) == "hello"
    [asked] = proxy.asked
    target = url.removeprefix("https://").strip("/")
    assert asked.splitlines()[:2] == [f"CONNECT {target} HTTP/1.1", f"Host: {target}"]
    assert "Proxy-Authorization: Basic YWRhOnBhIHNz" in asked


def test_it_is_asked_for_the_address_that_was_checked_and_not_for_the_name(
    make_context: MakeContext, company: Certificate
) -> None:
    with serving_tls(company) as url, proxying() as proxy:
        context = make_context(https_proxy=proxy.url)
        with pytest.raises(ConnectorError, match="localhost shows no certificate"):
            called(context, url.replace("127.0.0.1", "localhost"), **trusting(company))
    assert "localhost" not in proxy.asked[0]


def test_what_the_operator_excepts_is_called_directly(
    make_context: MakeContext, company: Certificate, httpserver: HTTPServer
) -> None:
    httpserver.expect_request("/").respond_with_data("plain")
    with serving_tls(company) as url, proxying() as proxy:
        context = make_context(https_proxy=proxy.url, no_proxy="example.com, 127.0.0.0/8")
        assert called(context, url, **trusting(company)) == "hello"
        assert called(make_context(https_proxy=proxy.url), httpserver.url_for("/")) == "plain", "not by https"
    assert proxy.asked == []


@pytest.mark.parametrize("target", ["https://127.0.0.2:9/", "https://10.0.0.1/", "https://169.254.169.254/"])
def test_it_leads_to_no_address_that_is_not_allowed(make_context: MakeContext, target: str) -> None:
    with proxying() as proxy, pytest.raises(ConnectorError, match="private network"):
        called(make_context(networks="127.0.0.1/32", https_proxy=proxy.url), target)
    assert proxy.asked == []


def test_nor_to_a_port_of_another_service_or_a_host_that_is_not_listed(make_context: MakeContext) -> None:
    with proxying() as proxy:
        with pytest.raises(ConnectorError, match="port 6379 belongs"):
            called(make_context(https_proxy=proxy.url), "https://127.0.0.1:6379/")
        with pytest.raises(ConnectorError, match="EGRESS_HOSTS"):
            called(make_context(https_proxy=proxy.url, egress_hosts="127.0.0.1"), "https://127.0.0.2/")
    assert proxy.asked == []


def test_its_own_address_has_to_be_allowed(make_context: MakeContext) -> None:
    with (
        proxying() as proxy,
        pytest.raises(ConnectorError, match=r"the host '127\.0\.0\.1' is not known, or is on a private"),
    ):
        called(make_context(networks="false", https_proxy=proxy.url), "https://192.0.43.8/")
    assert proxy.asked == []


@pytest.mark.parametrize(
    ("answer", "message", "permanent"),
    [
        (b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "it answered 407", True),
        (b"HTTP/1.1 503 Busy\r\nX-Why: x\r\n\r\n", "it answered 503", False),
        (b"SSH-2.0-OpenSSH_9.6\r\n\r\n", "no answer that can be read", False),
        (b"", "no answer that can be read", False),
        (b"HTTP/1.1 500 " + b"x" * 40_000, "no answer that can be read", False),
    ],
    ids=["407", "503", "no proxy", "silence", "no end"],
)
def test_a_refusal_of_its_own_is_told(make_context: MakeContext, answer: bytes, message: str, permanent: bool) -> None:
    with proxying(answer) as proxy, pytest.raises(ConnectorError, match=message) as caught:
        called(make_context(https_proxy=proxy.url.replace("ada:pa%20ss@", "")), "https://127.0.0.1:9/")
    assert caught.value.permanent is permanent


@pytest.mark.parametrize(
    ("pattern", "host", "port", "direct"),
    [
        ("example.com", "example.com", 443, True),
        ("example.com", "API.Example.com.", 443, True),
        (".example.com", "api.example.com", 443, True),
        ("*.example.com", "api.example.com", 443, True),
        ("example.com", "badexample.com", 443, False),
        ("example.com:8443", "example.com", 8443, True),
        ("example.com:8443", "example.com", 443, False),
        ("10.0.0.0/8", "10.1.2.3", 443, True),
        ("10.0.0.0/8", "11.1.2.3", 443, False),
        ("[::1]", "::1", 443, True),
        ("fd00::/8", "[fd00::5]", 443, True),
        ("*", "anything.test", 443, True),
        (".", "anything.test", 443, False),
    ],
)
def test_exceptions_are_read_as_other_programs_read_them(pattern: str, host: str, port: int, direct: bool) -> None:
    assert ProxyBypass([pattern]).includes(host, port) is direct


@pytest.mark.parametrize(
    "address", ["https://proxy.example:3128", "socks5://proxy.example", "http://", "http://proxy.example/path", "a b"]
)
def test_what_is_no_address_of_a_proxy_is_refused_at_the_start(address: str) -> None:
    with pytest.raises(ValidationError, match="must be the address of an HTTP proxy"):
        Settings(_env_file=None, https_proxy=address)


@pytest.mark.parametrize("address", ["", "proxy.example:3128", "http://ada:secret@proxy.example", "http://[::1]:3128/"])
def test_any_other_is_taken(address: str) -> None:
    settings: Any = Settings(_env_file=None, https_proxy=address)
    assert "secret" not in repr(settings.https_proxy)
