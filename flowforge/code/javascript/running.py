"""Runs programs in JavaScript: the body of an async function of `input`, whose result is what it returns."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import cache, partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flowforge import jsonio
from flowforge.code.apart import OutOfTime, run_apart
from flowforge.code.javascript import compiled
from flowforge.code.javascript.instance import Host, Instance, JavaScriptError, new_instance
from flowforge.code.library import Library
from flowforge.code.program import MEMORY, CodeFailed, Limits, Program, WriteLog

if TYPE_CHECKING:
    from wasmtime import Engine, Module, Trap

Work = Callable[[Instance], bytes | None]

_TOO_MUCH_MEMORY = f"it took more than {MEMORY // 1024**2} MB of memory"
_TOO_DEEP = "it calls itself too deeply"
_NEVER = "it waits for a promise that never settles"
_ROOM = 100
"""Bytes of an answer around the result."""
_MOST_PLACES = 4
"""Places that are told of an error."""
_PLACE = re.compile(r"at (?:(?P<name>[^\n(]*?) \()?<input>:(?P<line>\d+):(?P<column>\d+)\)?")
_LINES_BEFORE = 2
"""Lines that the engine puts before the body of a function."""


def run(program: Program, limits: Limits, log: WriteLog) -> Any:
    """What the program returns. Raises CodeFailed, Unavailable."""
    answer = _within(limits, log, lambda instance: _run(program, limits, instance))
    if answer is None:
        raise CodeFailed(f"its result has more than {limits.most_output} bytes, which is the limit")
    return _result(answer, program.text)


def check(text: str, limits: Limits) -> None:
    """Reads a program without running it. Raises CodeFailed where it cannot be run, Unavailable."""
    _result(_within(limits, _log_nothing, lambda instance: _read(text, instance)) or b"", text)


def _within(limits: Limits, log: WriteLog, work: Work) -> bytes | None:
    """Lets the work be done in an instance of its own. Raises CodeFailed where a limit ends it."""
    from wasmtime import Trap

    _prelude()
    with closing(compiled.new_engine()) as engine, closing(compiled.load(engine)) as module:
        try:
            use = partial(_use, engine, module, _host(Library(), log), work)
            return run_apart(use, engine.increment_epoch, limits.seconds, limits.deadline)
        except OutOfTime:
            raise CodeFailed(_too_long(limits)) from None
        except Trap as trap:
            raise CodeFailed(_limit_of(trap)) from None
        except JavaScriptError as error:
            raise CodeFailed(_told(str(error))) from None


def _use(engine: Engine, module: Module, host: Host, work: Work) -> bytes | None:
    with new_instance(engine, module, host) as instance:
        return work(instance)


def _host(library: Library, log: WriteLog) -> Host:
    """Answers what the prelude asks for: `[what, ...texts]` in JSON."""
    functions: Mapping[str, Callable[..., str | None]] = {
        "log": log,
        "filter": library.call,
        "random": lambda count: os.urandom(min(int(count), 65_536)).decode("latin-1"),
        "encode": lambda text: text.encode().decode("latin-1"),
        "decode": _decode,
    }

    def answer(asked: str) -> str:
        what, *texts = jsonio.loads(asked)
        return functions[what](*texts) or ""

    return answer


def _decode(data: str, charset: str) -> str:
    """The text of bytes, which come as the characters of Latin-1."""
    try:
        return data.encode("latin-1").decode(charset, "replace")
    except LookupError:
        return data.encode("latin-1").decode("utf-8", "replace")


def _log_nothing(_level: str, _text: str) -> None:
    """For programs that are only read."""


def _run(program: Program, limits: Limits, instance: Instance) -> bytes | None:
    prelude = _prelude_of(instance)
    text, data = instance.text(program.text.encode("utf-8", "replace")), instance.text(program.input)
    instance.call(instance.member(prelude, "begin"), text, data)
    instance.run_jobs()
    advance = instance.member(prelude, "advance")
    while instance.is_true(instance.call(advance)):
        instance.run_jobs()
    return instance.read(instance.call(instance.member(prelude, "outcome")), limits.most_output + _ROOM)


def _read(text: str, instance: Instance) -> bytes | None:
    read = instance.member(_prelude_of(instance), "read")
    return instance.read(instance.call(read, instance.text(text.encode("utf-8", "replace"))), MEMORY)


def _prelude_of(instance: Instance) -> int:
    return instance.call(instance.evaluate(_prelude()), instance.host_function())


@cache
def _prelude() -> bytes:
    source = Path(__file__).with_name("prelude.js").read_text()
    with (
        closing(compiled.new_engine()) as engine,
        closing(compiled.load(engine)) as module,
        new_instance(engine, module, lambda _: "") as instance,
    ):
        return instance.compile(source, "prelude")


def _result(answer: bytes, text: str) -> Any:
    """The value in an answer of the prelude about a program. Raises CodeFailed."""
    if not answer:
        raise CodeFailed(_NEVER)
    try:
        found = jsonio.loads(answer)
    except (ValueError, RecursionError):
        raise CodeFailed("its result cannot be read as JSON: it may be nested too deeply") from None
    if "error" in found:
        raise CodeFailed(_described(found["error"], lines=text.count("\n") + 1))
    return found.get("value")


def _described(error: Mapping[str, str], lines: int) -> str:
    """`line 2: TypeError: x is not a function (in f, line 2; line 7)`"""
    told = _told(f"{error['name']}: {error['message']}" if error["message"] else error["name"])
    places = [_Place.of(found, lines) for found in islice(_PLACE.finditer(error["stack"]), _MOST_PLACES)]
    if not places:
        return told
    way = f" ({'; '.join(map(str, places))})" if len(places) > 1 else ""
    return f"line {places[0].line}: {told}{way}"


@dataclass(frozen=True, slots=True)
class _Place:
    """A line of the program, and the function that it stands in."""

    function: str
    line: int

    @classmethod
    def of(cls, found: re.Match[str], lines: int) -> _Place:
        """`lines`: how many the program has. What is missing at its end is found behind it."""
        name = found["name"] or ""
        line = int(found["line"]) - _LINES_BEFORE
        return cls("" if name.strip("<>") == "anonymous" else name, min(line, lines))

    def __str__(self) -> str:
        return f"in {self.function}, line {self.line}" if self.function else f"line {self.line}"


def _told(text: str) -> str:
    if "out of memory" in text:
        return _TOO_MUCH_MEMORY
    return _TOO_DEEP if "Maximum call stack size" in text else text


def _too_long(limits: Limits) -> str:
    if time.monotonic() >= limits.deadline:
        return "it did not end within the step's time limit"
    return f"it was stopped after {limits.seconds:g} s, which is its limit"


def _limit_of(trap: Trap) -> str:
    from wasmtime import TrapCode

    return _TOO_DEEP if trap.trap_code == TrapCode.STACK_OVERFLOW else _TOO_MUCH_MEMORY
