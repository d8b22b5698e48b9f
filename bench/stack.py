"""The servers that an instance is measured with: the embedded ones, or Kafka and MongoDB."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.services.kafka_broker import running_kafka
from tests.services.mongo_fixture import running_secantus


@contextmanager
def stack(name: str, folder: Path) -> Iterator[dict[str, str]]:
    """Settings that choose a stack: `embedded` or `kafka`.

    `kafka` is Apache Kafka for the bus, with the library that KAFKA_CLIENT names; the log goes to MONGO_URI, or else to
    SecantusDB, which speaks MongoDB's protocol but is far slower.
    """
    if name == "embedded":
        yield {}
        return
    if name != "kafka":
        raise SystemExit(f"STACK={name} is not known; use embedded or kafka")
    (folder / "kafka").mkdir()
    (folder / "mongo").mkdir()
    with running_kafka(folder / "kafka") as brokers, mongo(folder / "mongo") as (uri, server):
        print(f"Apache Kafka at {brokers}, the log in {server}")
        client = os.environ.get("KAFKA_CLIENT", "kafka-python")
        yield {"KAFKA_BROKERS": brokers, "KAFKA_CLIENT": client, "MONGO_URI": uri}


@contextmanager
def mongo(folder: Path) -> Iterator[tuple[str, str]]:
    """(URI, which server that is)"""
    if "MONGO_URI" in os.environ:
        yield os.environ["MONGO_URI"], "MongoDB"
        return
    with running_secantus(folder) as url:
        yield f"{url}/flowforge_logs", "SecantusDB"
