"""Lines of kafka-python: of each kind one a minute, with how many were held back."""

from __future__ import annotations

import logging

import pytest

from flowforge.bus.kafka_lines import ThinnedOut, thin_out_lines


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def line(text: str, *args: object) -> logging.LogRecord:
    return logging.LogRecord("kafka.net", logging.ERROR, "file", 1, text, args, None)


def test_a_line_that_differs_in_numbers_only_comes_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    thinned_out = ThinnedOut(clock)
    for second in range(100):
        clock.now = float(second)
        thinned_out.emit(line("connection %d to broker 7 failed", second))
    assert caplog.messages == [
        "connection 0 to broker 7 failed",
        "connection 60 to broker 7 failed (59 more like this before)",
    ]


def test_lines_of_another_kind_come_at_once(caplog: pytest.LogCaptureFixture) -> None:
    thinned_out = ThinnedOut()
    for topic in ("trigger.events", "execution.start"):
        thinned_out.emit(line("Topic %s not found in cluster metadata", topic))
    assert len(caplog.messages) == 2


class Collected(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


def test_all_of_kafka_python_speaks_through_it() -> None:
    """Not heard by caplog: it listens to loggers that do not propagate, too."""
    log, root = Collected(), logging.getLogger()
    root.addHandler(log)
    try:
        thin_out_lines()
        thin_out_lines()
        for _ in range(5):
            logging.getLogger("kafka.cluster").error("this broker is gone")
    finally:
        root.removeHandler(log)
    assert log.lines.count("this broker is gone") == 1
