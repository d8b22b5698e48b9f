"""Batches of messages that are bounded by the bytes which handling them takes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from flowforge.engine.consumer import Received

MOST_BYTES = 4 * 1024 * 1024
"""JSON that is decoded at once. Small objects take up to 25 times as much in Python."""


def bounded_batches(
    received: Iterable[Received], *, loaded: bool, most_bytes: int = MOST_BYTES
) -> Iterator[list[Received]]:
    """Yields the messages in their order, as many at once as have at most that many bytes; a larger one comes alone.
    `loaded`: with what they refer to. Takes the next message only when the last batch is done with, so that what is
    decoded is bounded, too."""
    batch: list[Received] = []
    size = 0
    for one in received:
        own = one.size(loaded=loaded)
        if batch and size + own > most_bytes:
            yield batch
            batch, size = [], 0
        batch.append(one)
        size += own
    if batch:
        yield batch
