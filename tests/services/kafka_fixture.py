"""The fixture `kafka_brokers`: a real Apache Kafka broker; without Java or Maven its tests fail, and say so."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.services.kafka_broker import running_kafka


@pytest.fixture(scope="session")
def kafka_brokers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_kafka(tmp_path_factory.mktemp("kafka")) as brokers:
        yield brokers
