"""Runs programs in JavaScript: the body of an async function of `input`, whose result is what it returns."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from contextlib import closing
from functools import cache, partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flowforge import jsonio
from flowforge.code.apart import OutOfTime, run_apart
from flowforge.code.javascript import compiled
from flowforge.code.javascript.instance import Host, Instance, JavaScriptError, new_instance
from flowforge.code.library import Library
from flowforge.code.places import Place, located
from flowforge.code.program import MEMORY, TOO_DEEP, TOO_MUCH_MEMORY, CodeFailed, Limits, Program, WriteLog, too_long

if TYPE_CHECKING:
    from wasmtime import Engine, Module, Trap

Work = Callable[[Instance], bytes | None]

_NEVER = "it waits for a promise that never settles"
_ROOM = 100
"""Bytes of an answer around the result."""
_MOST_PLACES = 4
"""Places of an error that are looked at."""
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
            raise CodeFailed(too_long(limits)) from None
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
    except (LookupError, UnicodeError):
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
    told = _told(f"{error['name']}: {error['message']}" if error["message"] else error["name"])
    found = islice(_PLACE.finditer(error["stack"]), _MOST_PLACES)
    return located(told, [_place(place, lines) for place in found])


def _place(found: re.Match[str], lines: int) -> Place:
    """`lines`: how many the program has. What is missing at its end is found behind it."""
    name = (found["name"] or "").strip("<>")
    return Place(min(int(found["line"]) - _LINES_BEFORE, lines), "" if name == "anonymous" else name)


def _told(text: str) -> str:
    if "out of memory" in text:
        return TOO_MUCH_MEMORY
    return TOO_DEEP if "Maximum call stack size" in text else text


def _limit_of(trap: Trap) -> str:
    from wasmtime import TrapCode

    return TOO_DEEP if trap.trap_code == TrapCode.STACK_OVERFLOW else TOO_MUCH_MEMORY
