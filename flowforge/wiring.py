"""Turns settings into connections, and chooses the implementations of bus and log store: here alone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from redis import Redis
from redis.backoff import ExponentialBackoff, NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.retry import Retry
from sqlalchemy import Engine

from flowforge import events
from flowforge.bus import EventBus
from flowforge.code.javascript import compiled
from flowforge.db.credential_epochs import CredentialEpochs
from flowforge.db.engine import make_engine
from flowforge.db.mail_allowance_store import MailAllowanceStore
from flowforge.db.oauth_grants_store import OAuthGrantsStore
from flowforge.files.files import Files
from flowforge.files.links import FileLinks
from flowforge.files.made import make_files
from flowforge.home import Keys, load_keys
from flowforge.logbook import LogStore
from flowforge.oauth.answer_journal import AnswerJournal
from flowforge.oauth.renewal import Renewals
from flowforge.resume_links import ResumeLinks
from flowforge.secrets import Vault
from flowforge.settings import Settings

if TYPE_CHECKING:
    from flowforge.bus.kafka import KafkaBus
    from flowforge.bus.kafka_client import KafkaLibrary
    from flowforge.connectors.sdk import Tools

SOCKET_TIMEOUT_SECONDS = 10
LONGEST_BLOCK_SECONDS = 2.0
"""The longest time that a command on `Backends.blocking_redis` may ask the server to wait."""


@dataclass(frozen=True)
class Backends:
    """Connections to the servers a process uses, each made on first use. `process` names it to the servers."""

    settings: Settings
    process: str
    bus_patience: float = 10
    """Seconds that a message waits for its broker; afterwards it is left to redelivery."""
    publish_patience: float | None = None
    """Seconds that it waits where the broker is connected; None: as long."""
    redis_patience: float | None = None
    """Seconds that any caller waits for Valkey. None: this process does nothing without it, and waits longer."""

    def __post_init__(self) -> None:
        compiled.keep_in(self.settings.home / "compiled")

    @cached_property
    def keys(self) -> Keys:
        return load_keys(self.settings)

    @cached_property
    def vault(self) -> Vault:
        return Vault(self.keys.vault)

    @cached_property
    def resume_links(self) -> ResumeLinks:
        return ResumeLinks(self.keys.jwt, self.settings.public_webhook_base)

    @cached_property
    def engine(self) -> Engine:
        if self.settings.postgres_url is None:
            raise RuntimeError("POSTGRES_URL is not set; `make run` starts an embedded PostgreSQL and sets it")
        return make_engine(
            self.settings.postgres_url,
            pool_size=self.settings.database_pool_size,
            application_name=self.process,
        )

    @cached_property
    def credential_epochs(self) -> CredentialEpochs:
        return CredentialEpochs(self.engine, self.settings.access_token_lifetime)

    @cached_property
    def file_links(self) -> FileLinks:
        return FileLinks(self.keys.jwt, self.settings.public_webhook_base)

    @cached_property
    def files(self) -> Files:
        return make_files(self.engine, self.settings)

    @cached_property
    def tools(self) -> Tools:
        """Access of connectors to the world: one set per process, since its connections are pooled."""
        from flowforge.connectors.tools import make_tools

        return make_tools(self.settings, MailAllowanceStore(self.engine, self.settings.quota_mails_a_day).take)

    @cached_property
    def renewals(self) -> Renewals:
        """How the tokens of connections are renewed."""
        journal = AnswerJournal(self.settings.home / "renewed-tokens", self.vault)
        return Renewals(OAuthGrantsStore(self.engine), self.vault, journal)

    def close(self) -> None:
        """Ends whatever was connected."""
        for name in ("credential_epochs", "bus", "kafka", "logbook", "redis", "blocking_redis"):
            if name in self.__dict__:
                self.__dict__[name].close()
        if "engine" in self.__dict__:
            self.engine.dispose()

    @cached_property
    def redis(self) -> Redis:
        if self.settings.redis_url is None:
            raise RuntimeError("REDIS_URL is not set; `make run` starts an embedded Valkey and sets it")
        if self.redis_patience is not None:
            return connect_impatiently(self.settings.redis_url, self.redis_patience)
        return connect_redis(self.settings.redis_url)

    @cached_property
    def blocking_redis(self) -> Redis:
        """Returns a client for commands that wait at the server for something to happen."""
        return connect_impatiently(str(self.settings.redis_url), LONGEST_BLOCK_SECONDS + 1)

    @cached_property
    def kafka(self) -> KafkaBus:
        from flowforge.bus.kafka import KafkaBus

        return KafkaBus(
            self.settings.kafka_brokers,
            self.settings.kafka_client_id,
            readers(self.settings),
            library=_kafka_library(self.settings),
            patience=self.bus_patience,
            publish_patience=self.publish_patience,
            former=former_readers(self.settings),
            rivals=rivals(self.settings),
            members=self.settings.home / "kafka-members",
        )

    @cached_property
    def bus(self) -> EventBus:
        if self.settings.kafka_brokers:
            return self.kafka
        from flowforge.bus.streams import StreamsBus

        return StreamsBus(self.redis, readers=readers(self.settings), max_bytes=self.settings.stream_max_bytes)

    @cached_property
    def logbook(self) -> LogStore:
        if self.settings.mongo_uri:
            from flowforge.logbook.mongo import MongoLogStore

            return MongoLogStore(self.settings.mongo_uri, retention_days=self.settings.log_retention_days)
        from flowforge.logbook.postgres import PostgresLogStore

        return PostgresLogStore(self.engine)


def _kafka_library(settings: Settings) -> KafkaLibrary:
    """Imports the one that is used: each takes memory in every process."""
    if settings.kafka_client == "confluent":
        from flowforge.bus.confluent import Confluent

        return Confluent
    from flowforge.bus.kafka_python import KafkaPython

    return KafkaPython


def start_topic(settings: Settings) -> str:
    """The topic by which our executor hears of steps; that of others hears of them from ours
    (flowforge.engine.foreign_executor)."""
    return events.EXECUTION_DISPATCH if settings.has_foreign_executor else events.EXECUTION_START


def log_topic(settings: Settings, topic: str) -> str:
    """Where a message of that topic is published of which only the log has to hear. On Kafka on the topic itself, since
    others may listen to it (contract.md, section 3); our streams, which nobody else reads, deliver it to the log
    alone."""
    return topic if settings.kafka_brokers else events.EXECUTION_EVENTS


def readers(settings: Settings) -> dict[str, frozenset[str]]:
    """List the consumer groups that read each topic."""
    orchestrator, executor, sink = settings.group_orchestrator, settings.group_executor, settings.group_log_sink
    found = {
        events.TRIGGER_EVENTS: frozenset({orchestrator, sink}),
        events.EXECUTION_START: frozenset({sink}),
        events.EXECUTION_RESULT: frozenset({orchestrator, sink}),
        events.EXECUTION_EVENTS: frozenset({sink}),
    }
    return found | {start_topic(settings): found.get(start_topic(settings), frozenset()) | {executor}}


def former_readers(settings: Settings) -> dict[tuple[str, str], list[str]]:
    """List the groups of another installation that read each topic before ours, by topic and group of ours."""
    orchestrator, executor, sink = settings.group_orchestrator, settings.group_executor, settings.group_log_sink
    former = {
        (events.TRIGGER_EVENTS, orchestrator): settings.former_groups_orchestrator,
        (events.TRIGGER_EVENTS, sink): settings.former_groups_log_sink,
        (events.EXECUTION_START, executor): settings.former_groups_executor,
        (events.EXECUTION_START, sink): settings.former_groups_executor,  # which nobody logged
        (events.EXECUTION_RESULT, orchestrator): settings.former_groups_orchestrator,
        (events.EXECUTION_RESULT, sink): settings.former_groups_log_sink,
    }
    return {(topic, group): [name for name in names if name != group] for (topic, group), names in former.items()}


def rivals(settings: Settings) -> dict[str, list[str]]:
    """List the groups of another installation that must not be at work while a group of ours is."""
    former = former_readers(settings)
    orchestrator, executor = settings.group_orchestrator, settings.group_executor
    found = {orchestrator: former[events.TRIGGER_EVENTS, orchestrator]}
    return found if settings.has_foreign_executor else found | {executor: former[events.EXECUTION_START, executor]}


def connect_redis(url: str) -> Redis:
    """A pooled client with time limits; a dropped connection is tried again at once, then twice with back-off."""
    return Redis.from_url(
        url,
        socket_timeout=SOCKET_TIMEOUT_SECONDS,
        socket_connect_timeout=5,
        health_check_interval=30,
        retry=Retry(ExponentialBackoff(cap=0.5, base=0.05), 3),
        retry_on_error=[RedisConnectionError],
    )


def connect_impatiently(url: str, seconds: float) -> Redis:
    """A pooled client that waits for no answer longer than that. A dropped connection is made anew once, at once."""
    return Redis.from_url(
        url,
        socket_timeout=seconds,
        socket_connect_timeout=seconds,
        health_check_interval=30,
        retry=Retry(NoBackoff(), 1, (RedisConnectionError,)),
    )
