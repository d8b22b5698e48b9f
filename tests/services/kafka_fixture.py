"""The fixture `kafka_brokers`: a real Apache Kafka broker; where none can be had a stand-in, and the report says so."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.services.kafka_broker import NoBroker, fetch_jars, running_kafka
from tests.services.kafka_stand_in import running_stand_in

_NOTE = "FLOWFORGE_TESTS_KAFKA_NOTE"
"""Names the file by which test processes, which inherit it, tell the one that reports."""


@pytest.fixture(scope="session")
def kafka_brokers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("kafka")
    try:
        fetch_jars()
    except NoBroker as reason:
        _note(str(reason))
        with running_stand_in(folder) as brokers:
            yield brokers
        return
    with running_kafka(folder) as brokers:
        yield brokers


def pytest_configure() -> None:
    os.environ.setdefault(_NOTE, str(Path(tempfile.gettempdir(), f"flowforge-kafka-note-{os.getpid()}")))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    note = Path(os.environ[_NOTE])
    if note.exists():
        terminalreporter.section("Kafka")
        terminalreporter.write_line(f"Apache Kafka could not be had: {note.read_text()}.")
        terminalreporter.write_line("The Kafka tests ran on the stand-in noida-db, which is no proof for Kafka itself.")
        note.unlink()


def _note(reason: str) -> None:
    Path(os.environ[_NOTE]).write_text(reason)
