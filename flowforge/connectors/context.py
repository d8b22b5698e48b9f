"""The context a connector runs in: which attempt it is, the data of the workflow, and the tools to reach the world."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar
from uuid import UUID

from flowforge.connectors.agent_turn import AgentTurn
from flowforge.connectors.apis import ApiAccess, NoApis
from flowforge.connectors.draft import Draft
from flowforge.connectors.errors import ConnectorError
from flowforge.connectors.files import FileAccess, NoFiles
from flowforge.connectors.host_binding import ANY_HOST, HostBinding
from flowforge.connectors.http_client.client import AsyncHttpClient, HttpClient
from flowforge.connectors.http_client.pace import NoPace, Pace
from flowforge.connectors.http_client.signing import Signer
from flowforge.connectors.in_thread import InThread, compute, do_here
from flowforge.connectors.mail_transport.account import Account, MailTarget
from flowforge.connectors.mail_transport.server import MailServer
from flowforge.connectors.memory import Memory, Uncounted
from flowforge.connectors.network.dialer import Dialer
from flowforge.connectors.one_page import OnePage
from flowforge.connectors.polls import Recall
from flowforge.connectors.progress import NoProgress, Progress
from flowforge.connectors.session_pool import SessionPool
from flowforge.connectors.step_log import NoLog, StepLog
from flowforge.connectors.tables import NoTables, TableAccess
from flowforge.connectors.tokens import TokenCache
from flowforge.oauth.provider import Client
from flowforge.oauth.renewal import HeldGrant

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Tools:
    """The ways out that every connector may use: bounded, and kept out of private networks."""

    http: HttpClient
    """For plain functions."""
    async_http: AsyncHttpClient
    """For coroutines."""
    mail: MailServer
    tokens: TokenCache
    dialer: Dialer
    """The way to services that do not speak HTTP."""
    sessions: SessionPool
    """Sessions with them, kept open between steps."""
    oauth_clients: Mapping[str, Client] = field(default_factory=dict)
    """What the operator has registered FlowForge as, by the preset of the provider."""


class NamedConnection(Signer, Protocol):
    """The connection that a step names: it signs requests, signs in to mail servers, or opens a session, as its kind
    does."""

    def mail_account(self, target: MailTarget) -> Account:
        """Raises ConnectorError, also for a kind that has no mail servers."""

    def open(self) -> AbstractContextManager[Any]:
        """A session, signed in. Raises ConnectorError, also for a kind that has no sessions."""


@dataclass(frozen=True, slots=True)
class StepContext:
    """The attempt that runs, its tools, and its deadline (a time of time.monotonic)."""

    execution_id: UUID
    workflow_id: UUID
    user_id: UUID
    step_index: int
    step_id: str
    attempt: int
    idempotency_key: str
    """Constant until the receiver has given a definite answer, so that it can drop repeats of a call whose answer was
    lost."""
    deadline: float
    trigger: Mapping[str, Any]
    steps: Mapping[str, Any]
    tools: Tools
    files: FileAccess = field(default_factory=NoFiles)
    apis: ApiAccess = field(default_factory=NoApis)
    """The APIs that the account has added by their descriptions."""
    tables: TableAccess = field(default_factory=NoTables)
    """The data tables of the account."""
    computed: frozenset[str] = frozenset()
    """The fields of the config that hold expressions: what is in them may come from outside."""
    connection: NamedConnection | None = None
    """None where the step names none, and where its fields are filled in to the step's own config."""
    progress: Progress = field(default_factory=NoProgress)
    """The parts of its work that are done, for a step that has many."""
    page: OnePage | None = None
    """The page to be read, for a step that reads one of a list; None for one that reads all of it."""
    turn: AgentTurn | None = None
    """The turn of a model within an agent; None for a step that is outside of one."""
    recall: Recall = field(default_factory=Recall)
    """What it has kept when it was asked the last time, where a trigger asks again and again."""
    log: StepLog = field(default_factory=NoLog)
    """The log of the execution, into which it may write lines."""
    begin_draft: Callable[[], Draft] | None = None
    """Begins to show what the step is writing; None where nobody can watch it."""
    output_limit: int = 1024 * 1024
    """Bytes of JSON that its output may have."""
    pace: Pace = field(default_factory=NoPace)
    """How many requests go out by the step's connection, and when."""
    binding: HostBinding = ANY_HOST
    """The hosts to which the secrets of the step's connection may be sent."""
    grant: HeldGrant | None = None
    """The tokens of the step's connection, where somebody has signed in with it."""
    in_thread: InThread = do_here
    """Where a coroutine does what blocks, or computes for long: `await context.in_thread(partial(read, file))`."""
    memory: Memory = field(default_factory=Uncounted)
    """Counts the answers that it holds."""
    secrets: list[str] = field(default_factory=list)
    """Texts that are masked in outputs and errors. A connector adds what it makes of its secrets, such as a header."""

    async def compute(self, work: Callable[[], T], *, of: Any) -> T:
        """Computes something of values, in a coroutine: at once where they are small, `in_thread` where they are not.
        `await context.compute(partial(parsed, text), of=text)`"""
        return await compute(work, of, self.in_thread)

    def open_connection(self) -> AbstractContextManager[Any]:
        """A session by the connection that the step names. Raises ConnectorError, also where it names none."""
        if self.connection is None:
            raise ConnectorError("connection: is required", permanent=True)
        return self.connection.open()
