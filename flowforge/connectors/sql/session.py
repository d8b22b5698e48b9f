"""Sessions with SQL databases: reading and writing in one transaction, within the step's time and in bounded memory."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from select import POLLIN, poll
from typing import Any, Protocol

from flowforge.connectors.errors import ConnectorError
from flowforge.connectors.network.dialer import Dialer
from flowforge.connectors.sql.columns import column_names
from flowforge.connectors.sql.dialect import Dialect, Statement
from flowforge.connectors.sql.parameters import Bound, is_changing

_FETCHED_AT_ONCE = 200
_SPARE_SECONDS = 0.5
"""The server ends a statement that much before the step's deadline, so that its answer still arrives."""
_CANCEL_SECONDS = 3.0
_UNCERTAIN = (
    "the connection to {name} ended while the changes were being committed: nobody knows whether they were made, so"
    " this is not tried again; look there"
)


class DbConnection(Protocol):
    """A connection of a driver (PEP 249)."""

    def cursor(self, *args: Any, **kwargs: Any) -> Any: ...

    def commit(self) -> None: ...

    def rollback(self) -> None: ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Driver:
    """The way one sort of database is spoken to."""

    name: str
    """As people know it: `PostgreSQL`."""
    dialect: Dialect
    error: type[Exception]
    """What its driver raises."""
    begin: Callable[[Any, float, bool], None]
    """Begins a transaction whose statements the server ends after so many seconds; true: it only reads."""
    stream: Callable[[Any, Bound], Any]
    """A cursor whose rows come while they are fetched, executed."""
    descriptor: Callable[[Any], int]
    """The descriptor of a connection's socket."""
    explain: Callable[[Exception], ConnectorError | None]
    """What the server has refused, as the step's error; None where the connection is broken."""
    run: Callable[[Any, Bound], Any] | None = None
    """Executes a statement that changes something: its cursor. None: as `stream`."""
    adapt: Callable[[Any], Any] = lambda value: value
    """Gives a parameter as the driver takes it."""
    cancel: Callable[[Any, float], None] = lambda connection, deadline: None
    """Ends what the server is doing, by another connection, where it goes on without the one that was cut."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows that are still coming."""

    columns: Sequence[str]
    rows: Iterator[Sequence[Any]]


@dataclass(slots=True)
class SqlSession:
    """Of one thread at a time. Its methods raise ConnectorError."""

    driver: Driver
    connection: DbConnection
    dialer: Dialer
    deadline: float = 0.0
    """Of the step that has it, of time.monotonic."""
    is_clean: bool = field(default=True)
    """Whether nothing of the last step is left: settings, temporary tables, an open transaction."""

    @property
    def is_reusable(self) -> bool:
        return self.is_clean and not self._has_news()

    @property
    def dialect(self) -> Dialect:
        return self.driver.dialect

    def close(self) -> None:
        self.connection.close()

    @contextmanager
    def reading(self, statement: Bound) -> Iterator[Rows]:
        """The rows of a statement that changes nothing: whatever it does is taken back."""
        with self._guarded():
            self.driver.begin(self.connection, self._seconds(), True)
            cursor = self.driver.stream(self.connection, statement)
            yield _rows_of(cursor)
            cursor.close()
            self.connection.rollback()

    @contextmanager
    def changing(self, statement: Bound) -> Iterator[tuple[int, Rows]]:
        """How many rows it has changed, and those that it gives back; committed when the block has ended."""
        with self._guarded(may_be_kept=is_changing(statement.text)):
            self.driver.begin(self.connection, self._seconds(), False)
            cursor = (self.driver.run or self.driver.stream)(self.connection, statement)
            yield max(0, cursor.rowcount), _rows_of(cursor)
            cursor.close()
            self._commit()

    def write(self, statements: Iterable[Statement]) -> int:
        """Makes all the changes or none; returns how many rows there were."""
        written = 0
        with self._guarded():
            self.driver.begin(self.connection, self._seconds(), False)
            cursor = self.connection.cursor()
            for statement in statements:
                self._require_time()
                cursor.execute(statement.text, statement.values)
                written += max(0, cursor.rowcount) if statement.rows is None else statement.rows
            cursor.close()
            self._commit()
        return written

    @contextmanager
    def _guarded(self, *, may_be_kept: bool = True) -> Iterator[None]:
        """Cuts the connection at the deadline and explains errors. Only after success or a refusal by the server can
        the session be used again: rows that nobody has fetched would have to be read first."""
        self.is_clean = False
        try:
            with self.dialer.cutting_descriptor(self.driver.descriptor(self.connection), self.deadline):
                yield
        except (self.driver.error, OSError, ValueError) as error:
            refusal = self.driver.explain(error)
            if refusal is not None:
                self._roll_back()
            raise refusal or self._broken(error) from error
        self.is_clean = may_be_kept

    def _roll_back(self) -> None:
        with suppress(self.driver.error, OSError, ValueError):
            with self.dialer.cutting_descriptor(self.driver.descriptor(self.connection), self.deadline):
                self.connection.rollback()
            self.is_clean = not self._is_late()

    def _commit(self) -> None:
        try:
            self.connection.commit()
        except (self.driver.error, OSError) as error:
            refusal = self.driver.explain(error)
            raise refusal or ConnectorError(_UNCERTAIN.format(name=self.driver.name), permanent=True) from error

    def _broken(self, error: Exception) -> ConnectorError:
        if self._is_late():
            self._cancel()
            return ConnectorError(f"{self.driver.name} did not end within the step's time limit", permanent=False)
        if isinstance(error, (OSError, self.driver.error)):
            return ConnectorError(f"the connection to {self.driver.name} ended", permanent=False)
        return ConnectorError(f"{self.driver.name} answered what cannot be read: {error}", permanent=True)

    def _cancel(self) -> None:
        with suppress(Exception):  # the step has failed in any case
            self.driver.cancel(self.connection, time.monotonic() + _CANCEL_SECONDS)

    def _seconds(self) -> float:
        return max(0.05, self.deadline - time.monotonic() - _SPARE_SECONDS)

    def _is_late(self) -> bool:
        return time.monotonic() >= self.deadline

    def _require_time(self) -> None:
        if self._seconds() <= _SPARE_SECONDS / 10:
            raise TimeoutError

    def _has_news(self) -> bool:
        """Whether something came while nobody had asked: its end, or a message before it."""
        try:
            waiting = poll()
            waiting.register(self.driver.descriptor(self.connection), POLLIN)
            return bool(waiting.poll(0))
        except (self.driver.error, OSError, ValueError):
            return True


def _rows_of(cursor: Any) -> Rows:
    return Rows(column_names(cursor.description), _fetched(cursor) if cursor.description else iter(()))


def _fetched(cursor: Any) -> Iterator[Sequence[Any]]:
    while batch := cursor.fetchmany(_FETCHED_AT_ONCE):
        yield from batch
