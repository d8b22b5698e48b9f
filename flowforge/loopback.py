"""Names and addresses that mean the machine itself."""

from __future__ import annotations

import ipaddress


def is_loopback_address(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def is_loopback(host: str) -> bool:
    """Whether a name (RFC 6761, section 6.3) or an address, without brackets, means the machine itself."""
    name = host.lower().removesuffix(".")
    return name == "localhost" or name.endswith(".localhost") or is_loopback_address(name)
