"""Writing the lines of many executions to the log; one that cannot be written does not hold up the others."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from flowforge.engine.log_sink import BATCH, LogSink
from flowforge.errors import Unavailable
from flowforge.events import TopicMessage

logger = logging.getLogger(__name__)

Lines = Sequence[TopicMessage]
Subject = TypeVar("Subject")


def write_lines(sink: LogSink, subjects: Iterable[Subject], lines_of: Callable[[Subject], Lines]) -> int:
    """Writes the lines of each subject (an event, an execution); returns how many of them could be written. Raises
    Unavailable."""
    return sum(_write(sink, batch) for batch in _batches(_read_lines(subjects, lines_of)))


def _read_lines(subjects: Iterable[Subject], lines_of: Callable[[Subject], Lines]) -> Iterator[Lines]:
    for subject in subjects:
        try:
            yield lines_of(subject)
        except (ValueError, TypeError, AttributeError):  # of what it holds; the database's own errors pass
            # Its id comes first; what else it holds is nobody's business.
            logger.exception("the log of an execution cannot be made; the others go on: %.90r", subject)


def _batches(executions: Iterable[Lines]) -> Iterator[list[Lines]]:
    """Executions that have together about as many lines as the log sink writes at once."""
    batch: list[Lines] = []
    for lines in executions:
        batch.append(lines)
        if sum(map(len, batch)) >= BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _write(sink: LogSink, batch: Sequence[Lines]) -> int:
    try:
        sink.write([line for lines in batch for line in lines])
    except Unavailable:
        raise
    except Exception:
        if len(batch) == 1:
            logger.exception("the log of %s cannot be written; the others go on", batch[0][-1].key)
            return 0
        return sum(_write(sink, [lines]) for lines in batch)
    return len(batch)
