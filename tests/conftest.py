"""Real servers for every test: PostgreSQL and Valkey from their wheels, one of each per test process."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis
from sqlalchemy import Engine, NullPool, create_engine, text

from flowforge.db.engine import make_engine
from flowforge.db.migrate import upgrade
from flowforge.settings import Settings
from flowforge.wiring import Backends
from tests.services.embedded import running_postgres, running_valkey

pytest_plugins = ["tests.services.kafka_fixture", "tests.services.mongo_fixture"]

_TEMPLATE = "migrated"
_numbers = itertools.count()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """URL of a PostgreSQL server with a migrated template database; `{database}` stands for the name."""
    with running_postgres() as url:
        _administer(url, f"CREATE DATABASE {_TEMPLATE}")
        upgrade(url.format(database=_TEMPLATE))
        yield url


@pytest.fixture(scope="session")
def valkey_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_valkey(tmp_path_factory.mktemp("valkey")) as url:
        yield url


@pytest.fixture
def empty_database_url(postgres_server: str) -> Iterator[str]:
    """A database without any table, for migrations to meet."""
    yield from fresh_database(postgres_server, "template1")


@pytest.fixture
def database_url(postgres_server: str) -> Iterator[str]:
    """A fresh, migrated, empty database."""
    yield from fresh_database(postgres_server)


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = make_engine(database_url, application_name="test")
    yield engine
    engine.dispose()


@pytest.fixture
def redis_url(valkey_server: str) -> str:
    """A real Valkey, emptied."""
    with Redis.from_url(valkey_server) as redis:
        redis.flushall()
    return valkey_server


@pytest.fixture
def settings(database_url: str, redis_url: str, tmp_path: Path) -> Settings:
    return instance_settings(database_url, redis_url, tmp_path / "home")


@pytest.fixture
def backends(settings: Settings) -> Iterator[Backends]:
    backends = Backends(settings, "test")
    yield backends
    backends.close()


def instance_settings(database_url: str, redis_url: str, home: Path) -> Settings:
    """Settings of an instance on these servers, deaf to the developer's own environment."""
    return Settings(
        _env_file=None,
        postgres_url_setting=database_url,
        redis_url=redis_url,
        home=home,
        allow_private_networks_setting="127.0.0.0/8",
        kafka_brokers=[],
        mongo_uri=None,
        auth_rate_limit="1000/minute",
    )


def fresh_database(server: str, template: str = _TEMPLATE) -> Iterator[str]:
    name = f"test_{next(_numbers)}"
    _administer(server, f"CREATE DATABASE {name} TEMPLATE {template}")
    yield server.format(database=name)
    _administer(server, f"DROP DATABASE {name} WITH (FORCE)")


def _administer(server: str, statement: str) -> None:
    url = server.format(database="postgres").replace("postgresql://", "postgresql+psycopg2://")
    engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()
