"""Where calls of a webhook may come from: methods, web pages (CORS), addresses."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated, Literal

from pydantic import AfterValidator

from flowforge.sentences import sentence

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
USUAL_METHODS: tuple[Method, ...] = ("GET", "POST")
ANY_ORIGIN = "*"
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_ORIGIN = re.compile(r"https?://[A-Za-z0-9._-]{1,253}(:[0-9]{1,5})?|https?://\[[0-9A-Fa-f:.]{2,45}\](:[0-9]{1,5})?")
"""A scheme, a host and perhaps a port (RFC 6454, section 7)."""


def _origin(text: str) -> str:
    written = text.strip().removesuffix("/")
    if written != ANY_ORIGIN and not _ORIGIN.fullmatch(written):
        raise ValueError(sentence("must be the origin of web pages, such as https://shop.example, or *"))
    return written.lower()


def _network(text: str) -> str:
    read_network(text)
    return text


Origin = Annotated[str, AfterValidator(_origin)]
AddressRange = Annotated[str, AfterValidator(_network)]


def read_network(text: str) -> Network:
    """The addresses that a text names: one, or a range such as 203.0.113.0/24. Raises ValueError."""
    try:
        return ipaddress.ip_network(text.strip(), strict=False)
    except ValueError:
        raise ValueError(sentence("must be an IP address, or a range of them such as 203.0.113.0/24")) from None


def is_within(address: str, networks: tuple[Network, ...]) -> bool:
    """Whether the address is in one of the networks; an IPv4 address may be written as an IPv6 one."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    inner = getattr(found, "ipv4_mapped", None) or found
    return any(inner in network for network in networks)
