"""Certificates of one's own: authorities that are trusted, and what a client shows of itself."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from flowforge.connectors.catalog import load_catalog
from flowforge.connectors.http_client.tls import TlsIdentity
from flowforge.connectors.sdk import ConnectorError, StepContext
from tests.connectors.both_ways import step_loop  # noqa: F401  (each test that calls somebody runs twice)
from tests.connectors.certificate import Certificate, make_certificate
from tests.connectors.running import run
from tests.services.serving import serving


class _Hello(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"hello")

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serving_tls(shown: Certificate, clients: Certificate | None = None) -> Iterator[str]:
    """A server with that certificate, for clients with that one, if any."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(shown.chain, shown.key)
    if clients is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(clients.authority)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Hello)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    with serving(server):
        yield f"https://127.0.0.1:{server.server_port}/"


@pytest.fixture
def company(tmp_path: Path) -> Certificate:
    return make_certificate(_folder(tmp_path / "company"), "127.0.0.1")


@pytest.fixture
def client(tmp_path: Path) -> Certificate:
    return make_certificate(_folder(tmp_path / "client"), "127.0.0.9")


def _folder(path: Path) -> Path:
    path.mkdir()
    return path


def trusting(company: Certificate, **more: Any) -> dict[str, Any]:
    return {"authorities": company.authority.read_text(), **more}


def showing(client: Certificate) -> dict[str, Any]:
    return {"clientCertificate": client.chain.read_text(), "clientKey": client.key.read_text()}


def called(context: StepContext, url: str, **config: Any) -> Any:
    return run("HTTP_REQUEST", {"url": url, "response": "text", **config}, context)["body"]


class TestAuthorities:
    def test_a_server_of_the_companys_is_trusted_by_who_names_its_authority(
        self, context: StepContext, company: Certificate
    ) -> None:
        with serving_tls(company) as url:
            assert called(context, url, **trusting(company)) == "hello"
            with pytest.raises(ConnectorError, match="shows no certificate that can be trusted"):
                called(context, url)

    def test_others_are_not(self, context: StepContext, company: Certificate, client: Certificate) -> None:
        with serving_tls(company) as url, pytest.raises(ConnectorError, match="no certificate that can be trusted"):
            called(context, url, **trusting(client))

    def test_nor_is_another_name(self, context: StepContext, company: Certificate) -> None:
        with serving_tls(company) as url, pytest.raises(ConnectorError, match="no certificate that can be trusted"):
            called(context, url.replace("127.0.0.1", "localhost"), **trusting(company))

    def test_connections_of_one_are_not_used_for_another(self, context: StepContext, company: Certificate) -> None:
        with serving_tls(company) as url:
            called(context, url, **trusting(company))
            with pytest.raises(ConnectorError):
                called(context, url)


class TestClients:
    def test_a_client_shows_its_certificate(
        self, context: StepContext, company: Certificate, client: Certificate
    ) -> None:
        with serving_tls(company, clients=client) as url:
            assert called(context, url, **trusting(company), **showing(client)) == "hello"

    def test_one_without_is_told_what_the_server_says(
        self, context: StepContext, company: Certificate, client: Certificate
    ) -> None:
        with serving_tls(company, clients=client) as url, pytest.raises(ConnectorError) as caught:
            called(context, url, **trusting(company))
        assert "127.0.0.1" in str(caught.value)

    def test_a_connection_holds_it(self, context: StepContext, company: Certificate, client: Certificate) -> None:
        with serving_tls(company, clients=client) as url:
            config = {**trusting(company), **showing(client), "testUrl": url}
            assert load_catalog().connection_kinds["http"].try_out(config, context)

    def test_so_does_one_of_a_kind_of_its_own(
        self, context: StepContext, company: Certificate, client: Certificate
    ) -> None:
        with serving_tls(company, clients=client) as url:
            shown = {"certificate": client.chain.read_text(), "key": client.key.read_text()}
            config = {**trusting(company), **shown, "testUrl": url}
            assert load_catalog().connection_kinds["client_certificate"].try_out(config, context)


class TestWhatIsGiven:
    @pytest.mark.parametrize(
        "broken", [str.strip, lambda pem: pem.replace("\n", ""), lambda pem: pem.replace("\n", " ")]
    )
    def test_line_breaks_may_have_been_lost(self, company: Certificate, broken: Any) -> None:
        pem, key = broken(company.chain.read_text()), broken(company.key.read_text())
        assert TlsIdentity(pem, pem, key).context().get_ca_certs()

    def test_or_written_out(self, company: Certificate) -> None:
        assert TlsIdentity(company.authority.read_text().replace("\n", "\\n")).context().get_ca_certs()

    @pytest.mark.parametrize("pem", ["x", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"])
    def test_authorities_that_cannot_be_read_are_told(self, pem: str) -> None:
        with pytest.raises(ConnectorError, match="certificates of the authorities cannot be read") as caught:
            TlsIdentity(authorities=pem).context()
        assert caught.value.permanent

    def test_so_is_a_key_of_another_pair(self, company: Certificate, client: Certificate) -> None:
        for key in (client.key.read_text(), "", "hush"):
            with pytest.raises(ConnectorError, match="client certificate and its key cannot be used") as caught:
                TlsIdentity(certificate=company.chain.read_text(), key=key).context()
            assert "hush" not in str(caught.value)
