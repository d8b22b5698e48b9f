"""Runs programs in Python: a subset of the language, by Monty, in a process of its own that reaches nothing.

https://github.com/pydantic/monty
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from flowforge import jsonio
from flowforge.code.apart import OutOfTime, run_apart
from flowforge.code.library import Library, names
from flowforge.code.places import Place, located
from flowforge.code.program import MEMORY, TOO_DEEP, TOO_MUCH_MEMORY, CodeFailed, Limits, Program, WriteLog, too_long

if TYPE_CHECKING:
    from pydantic_monty import MontyError, MontySession

_MOST_CALLS = 1_000_000
"""Calls of filters by one program; what they cost has a limit of its own."""
_NOT_BEGUN = "SystemExit"
_ONLY_READ = f"raise {_NOT_BEGUN}()\n"
"""A first line that ends the program before it begins."""
_WHAT_LIMITS_TELL = {"memory limit exceeded": TOO_MUCH_MEMORY, "maximum recursion depth": TOO_DEEP}


def run(program: Program, limits: Limits, log: WriteLog) -> Any:
    """What the program returns, or the value of its last line. Raises CodeFailed."""
    found = _within(limits, lambda session: _run(session, program, log))
    try:
        return jsonio.loads(jsonio.dumps_within(found, limits.most_output))
    except jsonio.TooLarge:
        raise CodeFailed(f"its result has more than {limits.most_output} bytes, which is the limit") from None
    except (TypeError, RecursionError) as error:
        why = jsonio.why_not_json(error) if isinstance(error, TypeError) else "it is nested too deeply"
        raise CodeFailed(f"its result cannot be written as JSON: {why}") from None


def check(text: str, limits: Limits) -> None:
    """Reads a program without running it. Raises CodeFailed where it cannot be run."""
    try:
        _within(limits, lambda session: session.feed_run(_ONLY_READ + text), before=1)
    except CodeFailed as failed:
        if str(failed.__cause__) != _NOT_BEGUN:
            raise


def _within(limits: Limits, work: Callable[[MontySession], Any], before: int = 0) -> Any:
    """Lets the work be done in a process of its own. Raises CodeFailed. `before`: lines that stand before the
    program."""
    from pydantic_monty import MontyCrashedError, MontyError

    worker = _Worker()
    try:
        return run_apart(partial(_use, worker, limits, work), worker.kill, limits.seconds, limits.deadline)
    except OutOfTime:
        raise CodeFailed(too_long(limits)) from None
    except MontyCrashedError:
        raise CodeFailed("it was ended: it took more time or memory than it may") from None
    except MontyError as error:
        raise CodeFailed(_described(error, limits, before)) from error


class _Worker:
    """The process that runs a program, once there is one."""

    pid: int | None = None

    def kill(self) -> None:
        if self.pid is not None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)


def _use(worker: _Worker, limits: Limits, work: Callable[[MontySession], Any]) -> Any:
    with _new_session(limits) as session:
        worker.pid = session.worker_pid
        return work(session)


@contextmanager
def _new_session(limits: Limits) -> Iterator[MontySession]:
    """A process for this program alone: it is gone when the block ends."""
    from pydantic_monty import ExternalModule, Monty

    library = Library()
    module = ExternalModule({name: partial(_apply, library, name) for name in names()})
    with (
        Monty(max_processes=1) as pool,
        pool.checkout(
            limits={
                "max_feed_duration_secs": limits.seconds,
                "max_memory": MEMORY,
                "max_suspensions": _MOST_CALLS,
            },
            os_policy={"sleep": "zero"},
            external_modules={"filters": module},
        ) as session,
    ):
        yield session


def _apply(library: Library, name: str, *arguments: Any) -> Any:
    """Raises ValueError."""
    answer = jsonio.loads(library.call(name, jsonio.dumps(arguments).decode()))
    if "error" in answer:
        raise ValueError(answer["error"])
    return answer["value"]


def _run(session: MontySession, program: Program, log: WriteLog) -> Any:
    session.feed_run("import filters")
    return session.feed_run(
        program.text,
        inputs={"input": jsonio.loads(program.input)},
        print_callback=lambda stream, text: _write(log, stream, text),
    )


def _write(log: WriteLog, stream: str, text: str) -> None:
    for line in text.splitlines():
        log("warn" if stream == "stderr" else "log", line)


def _described(error: MontyError, limits: Limits, before: int) -> str:
    told = error.display(format="type-msg")  # type: ignore[attr-defined]
    if "time limit exceeded" in told:
        return too_long(limits)
    told = next((limit for mark, limit in _WHAT_LIMITS_TELL.items() if mark in told), told)
    return located(told, [_place(frame, before) for frame in reversed(error.traceback())])  # type: ignore[attr-defined]


def _place(frame: Any, before: int) -> Place:
    name = frame.function_name or ""
    return Place(max(frame.line - before, 1), "" if name.startswith("<") else name)
