"""A mail as it goes over the wire."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from flowforge.mail import addresses
from flowforge.mail.attachments import Attachment
from flowforge.mail.composing import Mail

NOW = datetime(2026, 3, 4, tzinfo=UTC)
ANN = addresses.read("Ann <ann@x.test>")


def attachment(size: int, at_once: int = 64 * 1024) -> Attachment:
    def pieces() -> Iterator[bytes]:
        for begin in range(0, size, at_once):
            yield b"x" * min(at_once, size - begin)

    return Attachment("a.bin", "application/x", size, pieces)


@pytest.mark.parametrize("sizes", [(), (0,), (1,), (57,), (58, 114), (100_000, 3)])
def test_its_length_is_known_before_it_is_sent(sizes: tuple[int, ...]) -> None:
    mail = Mail(ANN, [ANN], "Hi", "1", text="x", attachments=[attachment(size, 1000) for size in sizes])
    composed = mail.compose(NOW)
    assert len(composed) == sum(map(len, composed))


def test_memory_does_not_grow_with_the_size_of_an_attachment() -> None:
    composed = Mail(ANN, [ANN], "Hi", "1", text="x", attachments=[attachment(20_000_000)]).compose(NOW)
    tracemalloc.start()
    sent = sum(map(len, composed))
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert sent > 26_000_000
    assert most < 1_000_000
