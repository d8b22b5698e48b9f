"""The libraries by which the bus speaks with Kafka."""

from __future__ import annotations

import pytest

from flowforge.bus.kafka_client import KafkaLibrary
from flowforge.bus.kafka_python import KafkaPython


@pytest.fixture(params=["kafka-python", "confluent"])
def library(request: pytest.FixtureRequest) -> KafkaLibrary:
    return kafka_library(request.param)


def kafka_library(name: str) -> KafkaLibrary:
    if name == "kafka-python":
        return KafkaPython
    pytest.importorskip("confluent_kafka")
    from flowforge.bus.confluent import Confluent

    return Confluent
