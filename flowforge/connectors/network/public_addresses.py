"""The addresses that anybody on the internet may be reached at, and those that lead somewhere else.

The lists follow the registries of IANA as they stood in October 2025, and deny each block as a whole: a service for
everybody is offered in none of them, also where single addresses are routed.

- https://www.iana.org/assignments/iana-ipv4-special-registry
- https://www.iana.org/assignments/iana-ipv6-special-registry
- https://www.iana.org/assignments/ipv6-address-space

They stand here, beside what Python knows, because that differs between its versions.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Address = IPv4Address | IPv6Address

_SPECIAL_IPV4 = tuple(
    IPv4Network(block)
    for block in (
        "0.0.0.0/8",  # this network, RFC 791
        "10.0.0.0/8",  # private use, RFC 1918
        "100.64.0.0/10",  # shared by carriers, RFC 6598
        "127.0.0.0/8",  # loopback, RFC 1122
        "169.254.0.0/16",  # link-local, RFC 3927; metadata of most clouds
        "172.16.0.0/12",  # private use, RFC 1918
        "192.0.0.0/24",  # IETF protocol assignments, RFC 6890; metadata of some clouds
        "192.0.2.0/24",  # documentation, RFC 5737
        "192.31.196.0/24",  # AS112, RFC 7535
        "192.52.193.0/24",  # automatic multicast tunneling, RFC 7450
        "192.88.99.0/24",  # relays of 6to4, RFC 7526
        "192.168.0.0/16",  # private use, RFC 1918
        "192.175.48.0/24",  # AS112, RFC 7534
        "198.18.0.0/15",  # benchmarks, RFC 2544
        "198.51.100.0/24",  # documentation, RFC 5737
        "203.0.113.0/24",  # documentation, RFC 5737
        "224.0.0.0/4",  # multicast, RFC 5771
        "240.0.0.0/4",  # reserved, RFC 1112, and the limited broadcast, RFC 919
        "168.63.129.16/32",  # the host of a virtual machine in Azure: public by number only
    )
)

_GLOBAL_UNICAST = IPv6Network("2000::/3")
"""All that IANA has allocated for global unicast: loopback, local, reserved and multicast addresses are outside."""

_SPECIAL_IPV6 = tuple(
    IPv6Network(block)
    for block in (
        "2001::/23",  # IETF protocol assignments, RFC 2928: Teredo, benchmarks, ORCHID and others
        "2001:db8::/32",  # documentation, RFC 3849
        "2002::/16",  # 6to4, RFC 3056
        "2620:4f:8000::/48",  # AS112, RFC 7534
        "3ffe::/16",  # the former 6bone, RFC 3701
        "3fff::/20",  # documentation, RFC 9637
    )
)

_WRAP_IPV4 = (
    IPv6Network("::ffff:0:0/96"),  # mapped, RFC 4291
    IPv6Network("::ffff:0:0:0/96"),  # translated, RFC 2765
    IPv6Network("64:ff9b::/96"),  # NAT64, RFC 6052
)
_ISATAP = (0x0000_5EFE, 0x0200_5EFE)
_LOW_32_BITS = 0xFFFF_FFFF


def is_public(address: str | Address) -> bool:
    """Whether the address belongs to the internet at large. Where it wraps an IPv4 address, that one counts too."""
    ip = _parse(address)
    if isinstance(ip, IPv4Address):
        return ip.is_global and not any(ip in block for block in _SPECIAL_IPV4)
    inner = unwrapped(ip)
    if isinstance(inner, IPv4Address):
        return is_public(inner)
    if ip not in _GLOBAL_UNICAST or any(ip in block for block in _SPECIAL_IPV6):
        return False
    return ip.is_global and not _is_tunnel_to_private(ip)


def unwrapped(address: str | Address) -> Address:
    """The IPv4 address that a gateway would go on to, where there is one; else the address itself."""
    ip = _parse(address)
    if isinstance(ip, IPv6Address) and any(ip in block for block in _WRAP_IPV4):
        return IPv4Address(int(ip) & _LOW_32_BITS)
    return ip


def _is_tunnel_to_private(ip: IPv6Address) -> bool:
    """An interface identifier of ISATAP (RFC 5214, 6.1) holds the IPv4 address at the end of the tunnel."""
    identifies_tunnel = (int(ip) >> 32) & _LOW_32_BITS in _ISATAP
    return identifies_tunnel and not is_public(IPv4Address(int(ip) & _LOW_32_BITS))


def _parse(address: str | Address) -> Address:
    return ip_address(address.partition("%")[0]) if isinstance(address, str) else address
