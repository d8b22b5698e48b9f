"""The pauses that receivers ask for in their headers."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import time_machine

from flowforge.connectors.http_client.response import Response
from flowforge.connectors.http_client.told_pauses import told_pause

NOW = 1_800_000_000


@time_machine.travel(datetime.fromtimestamp(NOW, UTC), tick=False)
@pytest.mark.parametrize(
    ("status", "headers", "seconds"),
    [
        (429, {"retry-after": "30"}, 30),
        (503, {"retry-after": "30"}, 30),
        (301, {"retry-after": "30"}, None),
        (429, {}, None),
        (429, {"retry-after": "9999999"}, 3600),
        (200, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(NOW + 30)}, 30),
        (200, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str((NOW + 30) * 1000)}, 30),
        (200, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "30"}, 30),
        (200, {"x-rate-limit-remaining": "0", "x-rate-limit-reset": "30"}, 30),
        (200, {"ratelimit-remaining": "0", "ratelimit-reset": "30"}, 30),
        (200, {"ratelimit": "limit=100, remaining=0, reset=30"}, 30),
        (200, {"ratelimit": '"default";r=0;t=30'}, 30),
        (200, {"ratelimit": '"default";r=1;t=30'}, None),
        (200, {"x-ratelimit-remaining": "1", "x-ratelimit-reset": "30"}, None),
        (200, {"x-ratelimit-remaining": "0"}, None),
        (200, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "nan"}, None),
        (200, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "-5"}, None),
        (200, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "soon"}, None),
    ],
)
def test_are_read_from_what_apis_send(status: int, headers: dict[str, str], seconds: float | None) -> None:
    assert told_pause(Response(status, headers, b"")) == seconds
