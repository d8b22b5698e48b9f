"""Runs one attempt of one step, for executors and step tests.

Opens its secrets, resolves its expressions, runs its connector, and masks the secrets in what that gives.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

from flowforge import jsonio
from flowforge.connectors.agent_turn import AgentTurn, Tool
from flowforge.connectors.catalog import Catalog, UnknownAction
from flowforge.connectors.http_client.pace import StepDeferred
from flowforge.connectors.in_thread import SMALL_BYTES, InThread, compute, do_here
from flowforge.connectors.one_page import OnePage
from flowforge.connectors.polls import Recall
from flowforge.connectors.progress import NoProgress, Progress
from flowforge.connectors.saved_connection import SavedConnection
from flowforge.connectors.sdk import CONNECTION, ConnectionBroken, Connector, ConnectorError, Tools
from flowforge.connectors.sdk import StepContext as ConnectorContext
from flowforge.connectors.step_log import NoLog, StepLog
from flowforge.db import variables_store
from flowforge.db.attempt_rows import AttemptKey
from flowforge.db.credentials_store import CredentialsStore, StoredConnection
from flowforge.db.engine import Connection, transaction, unavailable_when_down
from flowforge.db.variables_store import NO_VALUES, Values
from flowforge.engine.config_form import ConfigForm, ConfigForms
from flowforge.engine.connection_pace import ConnectionPace, PaceLimits
from flowforge.engine.deferred_data import DeferredData
from flowforge.engine.draft import AnnouncedDraft
from flowforge.engine.plans import Version
from flowforge.engine.resolved_config import ResolvedConfig
from flowforge.engine.sealed_page import SealedPage
from flowforge.engine.start_messages import around
from flowforge.engine.step_files import StepFiles
from flowforge.engine.step_log import MaskedLog, PublishedLog
from flowforge.engine.step_memory import StepMemory, Uncounted
from flowforge.engine.step_output import error_text, plain_output
from flowforge.engine.step_progress import StepProgress
from flowforge.errors import Unavailable
from flowforge.events import ExecutionStart
from flowforge.execution.context import scope
from flowforge.execution.retry import Failure
from flowforge.jsonio import JsonObject
from flowforge.kept_descriptions import AccountApis
from flowforge.kept_tables import AccountTables, Call, table_limits
from flowforge.language.evaluation.meter import EXPRESSIONS_OF_A_STEP, Allowance
from flowforge.language.expressions.resolving import ExpressionError, resolve
from flowforge.language.expressions.secret_values import SECRETS
from flowforge.language.plan import Step
from flowforge.language.tool_parameters import parameters_schema
from flowforge.oauth.renewal import HeldGrant
from flowforge.secrets import SecretUnreadable, mask_text, mask_values, open_fields, secret_values, worth_masking
from flowforge.wiring import Backends

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Means:
    """What computing a config may take: the allowance of its expressions, and whether it may ask PostgreSQL and read
    files."""

    allowance: Allowance
    may_wait: bool

    def require_waiting(self) -> None:
        """Raises _NeedsThread where nothing may wait."""
        if not self.may_wait:
            raise _NeedsThread


class _NeedsThread(Exception):
    """A config takes more than there is time for on an event loop."""


_WHOLE = _Means(EXPRESSIONS_OF_A_STEP, may_wait=True)
_LIGHT = _Means(Allowance("a light step", memory=SMALL_BYTES, work=500_000, whole_work=1_000_000), may_wait=False)
"""What is done within a millisecond."""
_MOST_COUNTED = 64 * 1024 * 1024
"""Bytes of a config or an output: far more than either may have."""
_MOST_VALUES = 1_000
"""Values of a field that are offered."""
_NOTHING_COMPUTED: frozenset[str] = frozenset()
_LOADED_AT_ONCE = 2
"""Steps that hold, at the same time, data that had to be loaded for them: 1 MB of JSON can be 25 MB of objects."""


def key_of(start: ExecutionStart) -> AttemptKey:
    return AttemptKey(start.execution_id, start.step_index, start.iteration, start.attempt)


@dataclass(frozen=True, slots=True)
class StepRun:
    """An attempt to run. `version` is None where another implementation's orchestrator sent it."""

    start: ExecutionStart
    version: Version | None
    repeats: int | None = None
    """The earlier attempt whose call it makes again, since nobody knows whether that was done."""
    load: Callable[[], JsonObject] | None = None
    """Loads what the step sees, where that was too large to travel. Raises ConnectorError, Unavailable."""
    is_trial: bool = False
    """Its owner tries it out: it belongs to no execution."""
    executor: str | None = None
    """The executor that holds it under a lease; None where nothing of its progress is kept."""
    size: int = 0
    """Bytes of JSON of its message."""
    is_awaited: bool = True
    """Whether somebody awaits the end of its execution, as far as is known."""
    log: StepLog = field(default_factory=NoLog)
    """Where its lines go, if it belongs to no execution."""
    memory: StepMemory = field(default_factory=Uncounted)
    recall: Recall = field(default_factory=Recall)
    """What is kept from one time to the next, if a trigger asks again and again."""

    @property
    def step(self) -> Step | None:
        return self.version.plan.step(self.start.step_index) if self.version else None

    @property
    def step_id(self) -> str:
        return self.step.id if self.step else f"step_{self.start.step_index}"

    @property
    def idempotency_key(self) -> str:
        """Names the call: the same until the receiver has given a definite answer to it."""
        return f"{self.step_key}-{self.repeats or self.start.attempt}"

    @property
    def step_key(self) -> str:
        """Names the step in its execution and frame, whichever its attempt."""
        return f"{self.start.execution_id}-{self.start.step_index}-{self.start.iteration}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of an attempt: its output, or its failure."""

    output: Mapping[str, Any] = field(default_factory=dict)
    failure: Failure | None = None
    deferred_for: float | None = None
    """Seconds after which the same attempt is run again; the failure, then, is for those who cannot wait."""
    has_parts: bool = False
    """Whether parts of its work are kept, which nobody needs any more."""
    waits_for: UUID | None = None
    """The connection that has to be signed in with before the same attempt can be made."""

    @property
    def rests(self) -> bool:
        """Whether the attempt goes on later, rather than being over."""
        return self.waits_for is not None or self.deferred_for is not None


@dataclass(frozen=True, slots=True)
class ReadyConfig:
    """A step's config as its connector takes it, with secrets in clear: for the moment of the call only."""

    connector: Connector[Any]
    usable: JsonObject
    shown: JsonObject
    """With masks where `usable` holds what was made from secrets."""
    connection: SavedConnection | None
    holds_named_secrets: bool
    secrets: Sequence[str]
    """All texts to be masked."""
    computed: frozenset[str]
    """The fields that hold expressions."""

    @property
    def uses_secrets(self) -> bool:
        """Whether it holds secrets that are not its own: named ones, or those of a connection."""
        return self.holds_named_secrets or self.connection is not None


@dataclass(frozen=True, slots=True)
class _ReadyStep:
    """A step whose connector is about to be run with this config."""

    connector: Connector[Any]
    config: Any
    context: ConnectorContext


Done = TypeVar("Done")
Watch = Callable[[JsonObject], None]
"""Called with the config that a connector is about to be run with, its secrets masked."""


class StepRunner:
    """Runs steps; shared by threads, and by what runs on an event loop. Never raises, unless it is cancelled: whatever
    goes wrong is the step's failure. `tools`: those of the process, if none are given."""

    def __init__(self, backends: Backends, catalog: Catalog, tools: Tools | None = None) -> None:
        self._settings = backends.settings
        self._engine = backends.engine
        self._redis = backends.redis
        self._bus = backends.bus
        self._credentials = CredentialsStore(backends.engine)
        self._catalog = catalog
        self._forms = ConfigForms(catalog)
        self._vault = backends.vault
        self._links = backends.resume_links
        self._renewals = backends.renewals
        self._tools = tools or backends.tools
        self._files = backends.files
        self._file_links = backends.file_links
        self._transaction = partial(transaction, backends.engine)
        self._table_limits = table_limits(backends.settings)
        self._loading = threading.BoundedSemaphore(_LOADED_AT_ONCE)

    def time_limit(self, run: StepRun) -> float:
        """Returns how many seconds the step may take."""
        return (run.step.timeout if run.step else None) or self._settings.step_timeout_seconds

    def _deadline(self, run: StepRun) -> float:
        """The end of the time of a step that begins now, by time.monotonic."""
        return time.monotonic() + self.time_limit(run)

    def is_async(self, action_type: str) -> bool:
        """Whether steps of that type are run by `run_on_loop`; `run` runs all."""
        return action_type in self._catalog and self._catalog.get(action_type).is_async

    def run(self, run: StepRun, watch: Watch | None = None) -> Outcome:
        """Runs a step in this thread."""
        return self._guarded(run, lambda secrets: self._run(run, secrets, watch))

    async def run_on_loop(self, run: StepRun, in_thread: InThread) -> Outcome:
        """Runs a step that is `is_async` on the event loop that calls. What blocks, or computes for long, it does
        `in_thread`. Raises CancelledError where its task is cancelled."""
        deadline = self._deadline(run)  # its time runs while it waits for a thread, too
        secrets: list[str] = []
        try:
            ready = await self._ready_on_loop(run, secrets, deadline, in_thread)
            output = await ready.connector.run(ready.config, ready.context)  # type: ignore[misc]
            conclude = partial(self._outcome, run, ready, output)
            return await compute(conclude, output, in_thread)
        except BaseException as error:
            if isinstance(error, GeneratorExit) or _is_cancelled():
                raise
            return _failed(run, error, secrets)

    def ready(self, run: StepRun) -> ReadyConfig | Outcome:
        """Computes the config of a step that somebody else runs; the failure, where that cannot be done."""
        return self._guarded(run, lambda secrets: self._ready(run, secrets))

    def ask(self, run: StepRun, field: str) -> Outcome:
        """Asks for the values that a field of the step may have: `values` of the output."""
        return self._guarded(run, lambda secrets: self._ask(run, field, secrets))

    def readable(self, action_type: str, ready: ReadyConfig) -> JsonObject:
        """Returns the config as people may see it."""
        masked = self._catalog.mask(action_type, {**ready.usable, **ready.shown})
        return mask_values(masked, ready.secrets)  # type: ignore[no-any-return]

    def _guarded(self, run: StepRun, work: Callable[[list[str]], Done]) -> Done | Outcome:
        """Turns every error into a failure without the secrets that `work` has added to the list it is given."""
        secrets: list[str] = []
        try:
            return work(secrets)
        except BaseException as error:  # noqa: BLE001
            # A connector may raise anything, SystemExit too, and a worker must outlive it.
            return _failed(run, error, secrets)

    def _run(self, run: StepRun, secrets: list[str], watch: Watch | None) -> Outcome:
        ready = self._ready_step(run, secrets, self._deadline(run), watch=watch)
        return self._outcome(run, ready, ready.connector.run_here(ready.config, ready.context))

    def _ready_step(
        self,
        run: StepRun,
        secrets: list[str],
        deadline: float,
        *,
        in_thread: InThread = do_here,
        watch: Watch | None = None,
        means: _Means = _WHOLE,
    ) -> _ReadyStep:
        """Raises whatever may be wrong with the config."""
        ready = self._ready(run, secrets, means)
        context = self._context_by(ready, run, secrets, deadline, in_thread)
        if watch is not None:
            watch(self.readable(run.start.action_type, ready))
        run.memory.hold_config(_size_of(ready.usable))
        ready.connector.require_no_misplaced_expressions(context.computed)
        return _ReadyStep(ready.connector, ready.connector.parse(ready.usable), context)

    async def _ready_on_loop(
        self, run: StepRun, secrets: list[str], deadline: float, in_thread: InThread
    ) -> _ReadyStep:
        """Most configs are small, and hold all that they need: they are resolved at once, within an allowance that
        keeps nobody waiting. What needs PostgreSQL, or more work, is resolved in a thread."""
        ready = partial(self._ready_step, run, secrets, deadline, in_thread=in_thread)
        if run.size <= SMALL_BYTES and CONNECTION not in run.start.action_config:
            try:
                return ready(means=_LIGHT)
            except (_NeedsThread, ExpressionError):
                secrets.clear()  # with the whole allowance, it may have a value
        return await in_thread(ready)

    def _outcome(self, run: StepRun, ready: _ReadyStep, output: Any) -> Outcome:
        """Raises ConnectorError for an output that cannot be taken."""
        context = ready.context
        plain = plain_output(output, ready.connector.type, self._settings.step_output_max_bytes, context.secrets)
        run.memory.hold_output(_size_of(plain))
        return Outcome(plain, has_parts=isinstance(context.progress, StepProgress) and context.progress.is_kept)

    def _ask(self, run: StepRun, field: str, secrets: list[str]) -> Outcome:
        ready = self._ready(run, secrets)
        values = ready.connector.ask(field, ready.usable, self._context_by(ready, run, secrets, self._deadline(run)))
        plain = {"values": list(values)[:_MOST_VALUES]}
        return Outcome(plain_output(plain, run.start.action_type, self._settings.step_output_max_bytes, secrets))

    def _context_by(
        self, ready: ReadyConfig, run: StepRun, secrets: list[str], deadline: float, in_thread: InThread = do_here
    ) -> ConnectorContext:
        """The context of a step, with the connection that it names. Raises ConnectorError."""
        context = self._context(run, ready.computed, secrets, deadline, in_thread)
        return context if ready.connection is None else ready.connection.given_to(ready.connector, context)

    def _ready(self, run: StepRun, secrets: list[str], means: _Means = _WHOLE) -> ReadyConfig:
        start, templated = run.start, run.step is not None and run.step.templated
        connector = self._catalog.get(start.action_type)
        config, form = start.action_config, self._forms.of(start.action_type, start.action_config)
        computed = form.computed if templated else _NOTHING_COMPUTED
        if form.holds_secrets:
            config = self._catalog.open(start.action_type, config, self._vault)
            secrets += self._catalog.secret_values(start.action_type, config)
            form = self._forms.of(start.action_type, config)
        opened = connector.given(config)
        resolved = ResolvedConfig.without_secrets(opened)
        if templated:
            resolved = self._resolve_config(run, connector, opened, form, secrets, means)
        secrets += resolved.parts
        connector.require_harmless_values(opened, resolved.usable)
        connection = self._connection(run, connector, resolved.usable, secrets, means)
        usable = resolved.usable if connection is None else connection.filled_in(connector, resolved.usable)
        return ReadyConfig(connector, usable, resolved.shown, connection, bool(resolved.parts), secrets, computed)

    def _resolve_config(
        self,
        run: StepRun,
        connector: Connector[Any],
        config: JsonObject,
        form: ConfigForm,
        secrets: list[str],
        means: _Means,
    ) -> ResolvedConfig:
        version = run.version
        assert version is not None
        config = connector.separate(config)
        with self._data_of(run, means) as data:
            variables = self._variables(run.start.user_id, means) if form.names_variables else NO_VALUES
            roots = scope(version.plan, data, self._around(version, run.start, variables))
            files = self._files_of(run) if means.may_wait else None
            resolved_with = partial(
                resolve, config, step=run.step_id, field="config", files=files, allowance=means.allowance
            )
            if not form.names_secrets:
                return ResolvedConfig.without_secrets(resolved_with(roots))
            named = self._named_secrets(run.start.user_id, means)
            secrets += worth_masking(named.values())
            resolved = resolved_with({**roots, SECRETS: named})
            return ResolvedConfig.of(connector, resolved, named.values())

    @contextmanager
    def _data_of(self, run: StepRun, means: _Means) -> Iterator[JsonObject]:
        """Gives the data that the step sees. Few steps at once hold what had to be loaded for it, and none while it
        calls."""
        if run.load is None:
            yield {"trigger": run.start.trigger_payload, **run.start.context}
            return
        means.require_waiting()
        with self._loading:
            yield run.load()

    def _named_secrets(self, user_id: UUID, means: _Means) -> dict[str, str]:
        means.require_waiting()
        return {name: self._vault.open(value) for name, value in self._credentials.secrets(user_id).items()}

    def _connection(
        self, run: StepRun, connector: Connector[Any], config: Mapping[str, Any], secrets: list[str], means: _Means
    ) -> SavedConnection | None:
        """The connection that the config names; None where it names none. Raises ConnectorError."""
        name = config.get(CONNECTION)
        if not name:
            return None
        means.require_waiting()
        row = self._credentials.connection(run.start.user_id, str(name))
        kind = self._catalog.kind_for(connector, row.type) if row else None
        if row is None or kind is None:
            raise ConnectorError(
                f"there is no connection '{name}' that {run.start.action_type} could use", permanent=True
            )
        opened = open_fields(row.config, kind.secret_keys(), self._vault)
        secrets += secret_values(opened, kind.secret_keys())
        grant, pace = HeldGrant(self._renewals, row.grant), self._pace(run, row, str(name))
        return SavedConnection(str(name), kind, opened, grant, pace)

    def _pace(self, run: StepRun, stored: StoredConnection, name: str) -> ConnectionPace:
        limits = PaceLimits.read(stored.config)
        may_defer = run.executor is not None
        return ConnectionPace(stored.id, name, limits, self._redis, self._credentials, stored.paused_until, may_defer)

    def _tables(self, run: StepRun, idempotency_key: str) -> AccountTables:
        start = run.start
        call = Call(start.execution_id, start.workflow_id, idempotency_key, run.step_key)
        return AccountTables(self._transaction, start.user_id, self._table_limits, call)

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        """Raises Unavailable."""
        with unavailable_when_down(), self._engine.connect() as connection:
            yield connection

    def _around(self, version: Version, start: ExecutionStart, variables: Values) -> JsonObject:
        return around(version, start.execution_id, start.iteration, datetime.now(UTC), self._links, variables)

    def _variables(self, user_id: UUID, means: _Means) -> Values:
        """Raises Unavailable."""
        means.require_waiting()
        with self._connected() as connection:
            return variables_store.load(connection, [user_id]).get(user_id, NO_VALUES)

    def _files_of(self, run: StepRun) -> StepFiles:
        return StepFiles(self._files, self._file_links, run.start.user_id, run.start.execution_id, run.is_trial)

    def _progress(self, run: StepRun, secrets: list[str]) -> Progress:
        if run.executor is None:
            return NoProgress()
        return StepProgress(self._engine, self._vault, run.executor, key_of(run.start), secrets)

    def _page(self, run: StepRun) -> OnePage | None:
        """The page that the step reads alone; None where it does not. Whoever tries the step out gets the first."""
        if run.step is None or not run.step.reads_page:
            return None
        load = _loaded(run)
        return SealedPage(lambda: (load().get("page") or {}).get("after"), self._vault)

    def _turn(self, run: StepRun) -> AgentTurn | None:
        """The turn of a step that asks the model of an agent. Whoever tries the step out gets the first."""
        if run.step is None or not run.step.is_offered_tools:
            return None
        load = _loaded(run)
        tools = [_offered(tool) for tool in run.step.tools_beside]
        return AgentTurn(tools, lambda: (load().get("agent") or {}).get("before") or [])

    def _context(
        self, run: StepRun, computed: frozenset[str], secrets: list[str], deadline: float, in_thread: InThread
    ) -> ConnectorContext:
        start, idempotency_key = run.start, run.idempotency_key
        return ConnectorContext(
            execution_id=start.execution_id,
            workflow_id=start.workflow_id,
            user_id=start.user_id,
            step_index=start.step_index,
            step_id=run.step_id,
            attempt=start.attempt,
            idempotency_key=idempotency_key,
            deadline=deadline,
            trigger=_part_of(run.load, "trigger") if run.load else start.trigger_payload,
            steps=_part_of(run.load, "steps") if run.load else start.context.get("steps") or {},
            tools=self._tools,
            computed=computed,
            files=self._files_of(run),
            progress=self._progress(run, secrets),
            page=self._page(run),
            turn=self._turn(run),
            log=MaskedLog(run.log, secrets) if run.executor is None else PublishedLog(self._bus, start, secrets),
            begin_draft=None if run.executor is None else partial(AnnouncedDraft, self._redis, start, secrets),
            recall=run.recall,
            output_limit=self._settings.step_output_max_bytes,
            apis=AccountApis(self._connected, start.user_id),
            tables=self._tables(run, idempotency_key),
            in_thread=in_thread,
            memory=run.memory,
            secrets=secrets,
        )


def _size_of(value: JsonObject) -> int:
    return jsonio.least_size(value, _MOST_COUNTED)


def _is_cancelled() -> bool:
    """Whether somebody has cancelled the task that runs here, rather than that a connector raises what it likes."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def log_with_frames(what: str, error: BaseException) -> None:
    """Tells where an error was raised. Not the error itself: its text may hold a secret."""
    logger.error("%s\n%s", what, "".join(traceback.format_tb(error.__traceback__)))


def _failed(run: StepRun, error: BaseException, secrets: Sequence[str]) -> Outcome:
    """What an error means for the step; its text is told without secrets."""
    waits_for = deferred_for = None
    match error:
        case ConnectorError():
            waits_for = error.connection_id if isinstance(error, ConnectionBroken) else None
            failure = Failure(error_text(error, secrets), error.permanent, error.retry_after, error.answered)
        case StepDeferred():
            deferred_for = error.seconds
            failure = Failure(error_text(error, secrets), permanent=False, retry_after=error.seconds)
        case Unavailable():
            failure = Failure(str(error), permanent=False)
        case ExpressionError() | UnknownAction() | SecretUnreadable():
            failure = Failure(str(error), permanent=True)
        case _:
            what = f"{type(error).__name__} in connector {run.start.action_type}: {error_text(error, secrets)}"
            failure = Failure(what, permanent=True)
            log_with_frames(what, error)
    return Outcome(failure=_without(failure, secrets), waits_for=waits_for, deferred_for=deferred_for)


def _loaded(run: StepRun) -> Callable[[], JsonObject]:
    """Loads what the frames before have handed on; nothing where the step is only tried out."""
    return dict if run.executor is None else run.load or (lambda: run.start.context)


def _offered(tool: Step) -> Tool:
    config = tool.config
    return Tool(tool.id, str(config.get("description", "")), parameters_schema(config.get("parameters") or {}))


def _part_of(load: Callable[[], JsonObject], name: str) -> DeferredData:
    return DeferredData(lambda: load().get(name) or {})


def _without(failure: Failure, secrets: Sequence[str]) -> Failure:
    message = jsonio.writable(mask_text(failure.message, secrets))
    return replace(failure, message=message)
