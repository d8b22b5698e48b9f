"""Real servers for every test: PostgreSQL and Valkey from their wheels, one of each per test process."""

from __future__ import annotations

import gc
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import cache, partial
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from redis import Redis
from sqlalchemy import Engine

from flowforge.accounts import passwords
from flowforge.db.engine import make_engine
from flowforge.db.migrate import upgrade
from flowforge.settings import Settings
from flowforge.wiring import Backends
from tests.services.compiled_templates import CompiledTemplates
from tests.services.databases import CleanDatabase, administer, fresh_database
from tests.services.embedded import running_postgres, running_valkey
from tests.services.folders import temporary_folder
from webapp import create_app

pytest_plugins = [
    "tests.scheduling",
    "tests.services.imap",
    "tests.services.kafka_fixture",
    "tests.services.mongo_fixture",
    "tests.services.oauth_provider",
    "tests.services.sql_servers",
    "tests.services.web_server",
    "tests.stored_rows",
]

_TEMPLATE = "migrated"


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Gives each run a folder of its own for `tmp_path`.

    pytest closes the one that all runs of a user share to everybody else whenever a run begins, and with it the servers
    of another run out of their data: they run as another user where the tests run as root.
    """
    if hasattr(config, "workerinput") or config.option.basetemp:
        return
    folder = ExitStack()
    config.option.basetemp = folder.enter_context(temporary_folder("flowforge-tests-")) / "tmp"
    config.add_cleanup(folder.close)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Leaves out of garbage collection what the collected tests import, which stays to the end.

    That is a million objects: to go through them, again and again, took more time than most tests do.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.fixture(scope="session", autouse=True)
def quick_passwords() -> Iterator[None]:
    """Hashes passwords in 2 ms instead of 40: most tests of the API and the pages begin with somebody who registers."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_HASHER", PasswordHasher(time_cost=1, memory_cost=2048, parallelism=1))
        yield


@pytest.fixture(scope="session", autouse=True)
def compiled_templates() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(Flask.jinja_options, "bytecode_cache", CompiledTemplates())
        yield


MigratedDatabase = Callable[[], AbstractContextManager[str]]


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """URL of a PostgreSQL server with a migrated template database; `{database}` stands for the name."""
    with running_postgres() as url:
        administer(url, f"CREATE DATABASE {_TEMPLATE}")
        upgrade(url.format(database=_TEMPLATE))
        yield url


@pytest.fixture(scope="session")
def valkey_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_valkey(tmp_path_factory.mktemp("valkey")) as url:
        yield url


@pytest.fixture
def empty_database_url(postgres_server: str) -> Iterator[str]:
    """A database without any table, for migrations to meet."""
    with fresh_database(postgres_server) as url:
        yield url


@pytest.fixture(scope="session")
def clean_database(postgres_server: str) -> CleanDatabase:
    return CleanDatabase(postgres_server, _TEMPLATE)


@pytest.fixture
def database_url(clean_database: CleanDatabase) -> Iterator[str]:
    """A migrated database without a row."""
    with clean_database.lent() as url:
        yield url


@pytest.fixture(scope="session")
def migrated_database(postgres_server: str) -> MigratedDatabase:
    """Another one, for what outlives a test."""
    return lambda: fresh_database(postgres_server, _TEMPLATE)


@pytest.fixture(scope="session")
def engines() -> Callable[..., Engine]:
    """Makes engines that outlive a test, since SQLAlchemy keeps with each the statements that it has compiled: that is
    a third of what a request costs. Whoever uses one disposes of its connections."""
    return cache(partial(make_engine, application_name="test"))


@pytest.fixture
def engine(engines: Callable[..., Engine], database_url: str) -> Iterator[Engine]:
    engine = engines(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def redis_url(valkey_server: str) -> str:
    """A real Valkey, emptied."""
    with Redis.from_url(valkey_server) as redis:
        redis.flushall()
    return valkey_server


@pytest.fixture
def redis(redis_url: str) -> Iterator[Redis]:
    with Redis.from_url(redis_url) as redis:
        yield redis


@pytest.fixture
def settings(database_url: str, redis_url: str, tmp_path: Path) -> Settings:
    return instance_settings(database_url, redis_url, tmp_path / "home")


@pytest.fixture
def backends(settings: Settings, engines: Callable[..., Engine]) -> Iterator[Backends]:
    backends = Backends(settings, "test")
    vars(backends)["engine"] = engines(str(settings.postgres_url), pool_size=settings.database_pool_size)
    yield backends
    backends.close()


@pytest.fixture
def app(backends: Backends) -> Flask:
    """Answers errors as it would in production."""
    return create_app(backends=backends)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """Keeps no cookies: an API client."""
    return app.test_client(use_cookies=False)


@contextmanager
def lasting_backends(migrated_database: MigratedDatabase, valkey_server: str, home: Path) -> Iterator[Backends]:
    """Backends on a database of their own, for what outlives a test."""
    with Redis.from_url(valkey_server) as redis:
        redis.flushall()
    with migrated_database() as database_url:
        backends = Backends(instance_settings(database_url, valkey_server, home), "test")
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
        drain_seconds=8,
        auth_rate_limit="1000/minute",
    )
