"""mongodb: a database of MongoDB, or of a service that speaks its protocol."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from flowforge.connectors.sdk import (
    AUTHORITIES_FIELD,
    TLS_FIELD,
    ConnectionKind,
    ConnectorConfig,
    Credentials,
    StepContext,
    Tls,
    field,
    lent_session,
    secret,
    tls_context,
)

if TYPE_CHECKING:  # where it is used it is imported, since few need it, and it takes its time to load
    from flowforge.connectors.mongodb.session import MongoSession


class MongodbServer(ConnectorConfig):
    host: str = field(
        title="Host",
        description="One, or members of a replica set, separated by commas: whichever answers names the primary."
        " With a port where it is another one: db.example.com:27018.",
        max_length=2_000,
    )
    port: int = field(27017, title="Port", ge=1, le=65535)
    by_srv: bool = field(
        False,
        title="Cluster by its name",
        description="The host is the name of a cluster, as in mongodb+srv://; its servers are looked up.",
    )
    database: str = field(title="Database", max_length=63)
    username: str = field("", title="User name", description="Empty: no sign-in.", max_length=128)
    password: str = secret("", title="Password")
    auth_database: str = field("admin", title="Database of the user", max_length=63)
    tls: Tls = TLS_FIELD
    authorities: str | None = AUTHORITIES_FIELD


@contextmanager
def _open(credentials: Credentials[MongodbServer]) -> Iterator[MongoSession]:
    context, config = credentials.context, credentials.config
    connect = partial(_session, config, context)
    with (
        lent_session(context.tools.sessions, context.user_id, config, connect, context.deadline) as session,
        session.within_time(),
    ):
        yield session


def _session(config: MongodbServer, context: StepContext) -> MongoSession:
    from flowforge.connectors.mongodb.servers import MongoDeployment, connect
    from flowforge.connectors.mongodb.session import MongoSession

    deployment = MongoDeployment(
        config.host,
        config.port,
        config.by_srv,
        config.username,
        config.password,
        config.auth_database,
        tls_context(config.tls, config.authorities),
    )
    dialer = context.tools.dialer
    return MongoSession(connect(deployment, dialer, context.deadline), config.database, dialer)


def _test(credentials: Credentials[MongodbServer]) -> bool:
    """Signs in, and asks for an answer."""
    with credentials.open() as session:
        session.ask({"ping": 1})
        return True


MONGODB = ConnectionKind(
    "mongodb",
    MongodbServer,
    title="MongoDB",
    help="A database of MongoDB, of Atlas, or of a service that speaks its protocol.",
    icon="table",
    keywords=("mongodb", "mongo", "atlas", "documents", "database", "cosmos", "documentdb"),
    open=_open,
    test=_test,
)
