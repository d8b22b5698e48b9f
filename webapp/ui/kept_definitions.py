"""Parts of definitions that Redis keeps for a while, sealed as a whole: their secrets are in clear."""

from __future__ import annotations

import zlib
from base64 import b64decode, b64encode
from typing import Any

from flowforge import jsonio
from webapp.context import backends

SECONDS = 3_600
_LARGEST = 256 * 1024
"""Characters, compressed and sealed."""


def sealed(part: Any) -> str | None:
    """The text to be kept; None where it would be too long."""
    packed = b64encode(zlib.compress(jsonio.dumps_for_database(part).encode())).decode()
    text = backends().vault.seal(packed)
    return text if len(text) <= _LARGEST else None


def opened(text: bytes) -> Any:
    """Raises SecretUnreadable."""
    return jsonio.loads(zlib.decompress(b64decode(backends().vault.open(text.decode()))))
