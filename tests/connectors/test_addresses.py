"""Addresses, hosts and ports that connectors may reach. Only functions are asked: nothing here connects anywhere."""

from __future__ import annotations

import socket
from ipaddress import ip_network

import pytest

from flowforge.connectors.errors import ConnectorError
from flowforge.connectors.network.addresses import AddressGuard
from flowforge.connectors.network.host_patterns import HostPatterns
from flowforge.connectors.network.public_addresses import is_public, unwrapped
from flowforge.connectors.network.service_ports import IMAP_PORTS, SMTP_PORTS, require_port
from flowforge.connectors.tools import make_guard
from flowforge.settings import Settings
from tests.connectors.both_ways import step_loop  # noqa: F401  (each test that calls somebody runs twice)

# Every block of the registries of special-purpose addresses; multicast; IPv6 that is no global unicast.
SPECIAL_BLOCKS = """
    0.0.0.0/8 0.0.0.0/32 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.0.0/29
    192.0.0.8/32 192.0.0.9/32 192.0.0.10/32 192.0.0.170/32 192.0.0.171/32 192.0.2.0/24 192.31.196.0/24
    192.52.193.0/24 192.88.99.0/24 192.88.99.2/32 192.168.0.0/16 192.175.48.0/24 198.18.0.0/15 198.51.100.0/24
    203.0.113.0/24 240.0.0.0/4 255.255.255.255/32 224.0.0.0/4
    ::1/128 ::/128 64:ff9b:1::/48 100::/64 100:0:0:1::/64 2001::/23 2001::/32 2001:1::1/128 2001:1::2/128
    2001:1::3/128 2001:2::/48 2001:3::/32 2001:4:112::/48 2001:10::/28 2001:20::/28 2001:30::/28 2001:db8::/32
    2002::/16 2620:4f:8000::/48 3fff::/20 5f00::/16 fc00::/7 fe80::/10 fec0::/10 ff00::/8 200::/7 4000::/3 e000::/4
"""
# Those right before and right after such blocks, and some that everybody knows.
PUBLIC_ADDRESSES = """
    1.1.1.1 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0 169.253.255.255 172.15.255.255
    172.32.0.0 191.255.255.255 192.0.1.0 192.0.3.0 198.17.255.255 198.20.0.0 203.0.114.0 223.255.255.255 168.63.129.15
    168.63.129.17 2001:200::1 2001:db7:ffff::1 2001:db9::1 2003::1 2606:4700::1111 2a00:1450::1 3ffd::1
"""
CLOUD_METADATA = ["169.254.169.254", "168.63.129.16", "100.100.100.200", "192.0.0.192", "fd00:ec2::254"]


@pytest.mark.parametrize("block", SPECIAL_BLOCKS.split())
def test_no_address_of_a_special_block_is_public(block: str) -> None:
    network = ip_network(block)
    for address in (network[0], network[network.num_addresses // 2], network[-1]):
        assert not is_public(str(address)), address


@pytest.mark.parametrize("address", CLOUD_METADATA)
def test_metadata_of_clouds_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC_ADDRESSES.split())
def test_their_neighbours_are(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("prefix", ["::ffff:", "::ffff:0:", "64:ff9b::"], ids=["mapped", "translated", "NAT64"])
@pytest.mark.parametrize(
    "inner", ["10.0.0.1", "127.0.0.1", "169.254.169.254", "168.63.129.16", "192.0.0.192", "0.0.0.0"]
)
def test_a_wrapped_address_is_what_it_wraps(prefix: str, inner: str) -> None:
    assert str(unwrapped(prefix + inner)) == inner
    assert not is_public(prefix + inner)
    assert is_public(prefix + "8.8.8.8")


@pytest.mark.parametrize(
    "address", ["2606:4700::5efe:10.0.0.1", "2606:4700::200:5efe:127.0.0.1", "::8.8.8.8", "2002:808:808::1"]
)
def test_tunnels_are_not_taken(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", [*CLOUD_METADATA, "192.0.0.1", "3fff::1", "5f00::1", "224.0.0.1"])
def test_the_guard_asks_that_function(address: str) -> None:
    assert not AddressGuard([]).allows(address)
    assert AddressGuard([ip_network(address)]).allows(address)


class TestMessages:
    """A name that nobody knows and a private one cannot be told apart by whoever writes workflows."""

    def refusal(self, monkeypatch: pytest.MonkeyPatch, answer: object) -> ConnectorError:
        def look_up(*_: object, **__: object) -> object:
            if isinstance(answer, Exception):
                raise answer
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (answer, 80))]

        monkeypatch.setattr(socket, "getaddrinfo", look_up)
        with pytest.raises(ConnectorError) as caught:
            AddressGuard([]).resolve("db.internal", 80)
        return caught.value

    def test_unknown_and_private_are_answered_alike(self, monkeypatch: pytest.MonkeyPatch) -> None:
        unknown = self.refusal(monkeypatch, socket.gaierror(socket.EAI_NONAME, "Name or service not known"))
        private = self.refusal(monkeypatch, "10.0.0.7")
        assert str(unknown) == str(private)
        assert (unknown.permanent, private.permanent) == (True, True)

    def test_a_name_server_that_cannot_tell_may_be_asked_again(self, monkeypatch: pytest.MonkeyPatch) -> None:
        troubled = self.refusal(monkeypatch, socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution"))
        assert str(troubled) == str(self.refusal(monkeypatch, "10.0.0.7"))
        assert not troubled.permanent


class TestHosts:
    HOSTS = HostPatterns(["api.example.com", "*.googleapis.com", "192.0.2.7", "2001:db8::7", "bücher.example"])

    @pytest.mark.parametrize(
        "host",
        [
            *("api.example.com", "API.Example.COM.", "sheets.googleapis.com", "a.b.googleapis.com"),
            *("192.0.2.7", "[2001:db8::7]", "xn--bcher-kva.example", "BÜCHER.example"),
        ],
    )
    def test_listed_hosts_can_be_called(self, host: str) -> None:
        assert self.HOSTS.allow(host)

    @pytest.mark.parametrize(
        "host",
        ["example.com", "x.api.example.com", "api.example.com.evil.test", "googleapis.com", "evilgoogleapis.com", ""],
    )
    def test_others_cannot(self, host: str) -> None:
        assert not self.HOSTS.allow(host)

    def test_without_a_list_every_host_can(self) -> None:
        assert HostPatterns(()).allow("anything.test")

    def test_the_setting_is_a_list_of_names_and_counts_before_any_name_is_looked_up(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings = Settings(_env_file=None, egress_hosts="api.example.com, *.example.org")
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: pytest.fail("the name was looked up"))
        with pytest.raises(ConnectorError, match=r"evil\.test is not among the hosts .* \(EGRESS_HOSTS\)") as caught:
            make_guard(settings).resolve("evil.test", 443)
        assert caught.value.permanent


class TestPorts:
    @pytest.mark.parametrize(
        "port", [21, 22, 23, 25, 53, 110, 143, 389, 445, 587, 993, 1433, 3306, 5432, 6379, 11211, 27017]
    )
    def test_http_speaks_to_no_service_that_is_not_http(self, port: int) -> None:
        with pytest.raises(ConnectorError, match=f"port {port} belongs to another kind of service") as caught:
            require_port(port, frozenset())
        assert caught.value.permanent

    @pytest.mark.parametrize("port", [80, 443, 3000, 5000, 8000, 8080, 8443, 9200, 49152])
    def test_ports_of_web_servers_are_free(self, port: int) -> None:
        require_port(port, frozenset())

    @pytest.mark.parametrize(
        ("own", "others"), [(SMTP_PORTS, IMAP_PORTS), (IMAP_PORTS, SMTP_PORTS)], ids=["smtp", "imap"]
    )
    def test_a_connector_has_the_ports_of_its_own_protocol(self, own: frozenset[int], others: frozenset[int]) -> None:
        for port in own:
            require_port(port, own)
        for port in others | {22, 3306}:
            with pytest.raises(ConnectorError):
                require_port(port, own)

    def test_the_guard_refuses_before_it_connects(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(socket.socket, "connect", lambda *_: pytest.fail("a connection was made"))
        guard = AddressGuard([ip_network("127.0.0.0/8")])
        with pytest.raises(ConnectorError, match="port 6379"):
            guard.connect("127.0.0.1", 6379, 1)
