"""Files become descriptions."""

from __future__ import annotations

from collections.abc import Callable

from flowforge.apis.description import Description

Fetch = Callable[[str], bytes]
"""Gets a document at an address, within whatever rules the caller has for addresses. Raises ValueError or OSError where
it cannot be had."""
MOST_BYTES = 20_000_000


def read_description(data: bytes, address: str = "", fetch: Fetch | None = None) -> Description:
    """Read a file, JSON or YAML, OpenAPI 2.0, 3.0, 3.1 or Google Discovery.

    `address` is where the file was found: relative addresses in it start there. References to other documents are
    followed by `fetch`; without it, what needs them is refused. Raises UnreadableDescription.
    """
    raise NotImplementedError
