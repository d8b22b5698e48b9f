"""One QuickJS, alive for one call: its memory, the functions it exports, and those that it is given.

https://github.com/vercel-labs/quickjs-wasi: values are handles, pointers into its memory.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from flowforge.code.program import MEMORY

if TYPE_CHECKING:
    from wasmtime import Engine, Module

Host = Callable[[str], str]
"""Answers a call by the program."""

_OWN_MEMORY = 8 * 1024 * 1024
"""Bytes that are left to QuickJS, so that it can tell what went wrong."""
_STACK = 448 * 1024
"""Bytes of its own stack; beyond, a RangeError is thrown."""
_BUFFER = 16 * 1024
_MOST_ASKED = 8 * 1024 * 1024
"""Bytes that the host is asked with; more are answered with nothing."""
_BAD_DESCRIPTOR = 8
_MODULE = "quickjs"


class JavaScriptError(Exception):
    """A function of QuickJS threw."""


@contextmanager
def new_instance(engine: Engine, module: Module, host: Host) -> Iterator[Instance]:
    """An instance, gone with all its memory when the block ends."""
    from wasmtime import FuncType, Linker, Store

    with ExitStack() as held:
        store, linker = Store(engine), Linker(engine)
        held.callback(store.close)
        held.callback(linker.close)
        store.set_limits(memory_size=MEMORY, instances=1, memories=1, tables=1, table_elements=10_000)
        store.set_epoch_deadline(1)
        instance = Instance(store, linker, host)
        for needed in module.imports:
            assert isinstance(needed.type, FuncType)
            linker.define_func(str(needed.module), str(needed.name), needed.type, instance.given(str(needed.name)))
        linker.define_instance(store, _MODULE, linker.instantiate(store, module))
        instance.start()
        yield instance


class Instance:
    """Raises Trap at its limits, and JavaScriptError where QuickJS throws. Handles are freed with the instance."""

    def __init__(self, store: Any, linker: Any, host: Host) -> None:
        self._store = store
        self._linker = linker
        self._host = host
        self._exports: dict[str, Any] = {}
        self._length_at = self._buffer = 0
        self._failed: BaseException | None = None

    def start(self) -> None:
        self._call("_initialize")
        self._call("qjs_init")
        self._call("qjs_set_memory_limit", MEMORY - _OWN_MEMORY)
        self._call("qjs_set_max_stack_size", _STACK)
        self._length_at = self._allocate(4)
        self._buffer = self._allocate(_BUFFER)

    def compile(self, source: str, name: str) -> bytes:
        """The script as bytecode, which other instances can run."""
        text, length_at = source.encode(), self._allocate(4)
        code = self._call("qjs_compile", self._put(text), len(text), self._put(name.encode()), 0, 0, length_at)
        if not code:
            raise JavaScriptError(self._told())
        return self._peek(code, self._number_at(length_at))

    def evaluate(self, bytecode: bytes) -> int:
        return self._made(self._call("qjs_eval_bytecode", self._put(bytecode), len(bytecode)))

    def host_function(self) -> int:
        """A function that calls the host with a text."""
        return self._made(self._call("qjs_new_host_function", self._put(b"host"), len(b"host"), 0))

    def text(self, value: bytes) -> int:
        if len(value) < _BUFFER:
            self._poke(value, self._buffer)
            return self._made(self._call("qjs_new_string", self._buffer, len(value)))
        at = self._put(value)
        made = self._made(self._call("qjs_new_string", at, len(value)))
        self._call("wasm_free", at)
        return made

    def member(self, object_: int, name: str) -> int:
        return self._made(self._call("qjs_get_prop_string", object_, self._put(name.encode())))

    def call(self, function: int, *arguments: int) -> int:
        pointers = self._put(b"".join(argument.to_bytes(4, "little") for argument in arguments))
        undefined = self._call("qjs_get_undefined")
        return self._made(self._call("qjs_call", function, undefined, len(arguments), pointers))

    def run_jobs(self) -> None:
        """Goes on with what waited for a promise, until nothing is left."""
        while self._call("qjs_is_job_pending"):
            self._call("qjs_execute_pending_job")

    def is_true(self, value: int) -> bool:
        return bool(self._call("qjs_get_bool", value))

    def read(self, value: int, most: int) -> bytes | None:
        """The text in UTF-8, where half characters may stand; None where it is longer than that."""
        start = self._call("qjs_get_string_len", value, self._length_at)
        if not start:
            raise JavaScriptError("a value has no text")
        length = self._number_at(self._length_at)
        found = self._peek(start, length) if length <= most else None
        self._call("qjs_free_cstring", start)
        return found

    def given(self, name: str) -> Callable[..., int]:
        """The function that QuickJS imports under the name. None of them reaches anything, or raises."""
        found: Mapping[str, Callable[..., int]] = {
            "host_call": self._answer,
            "clock_time_get": self._write_time,
            "random_get": self._write_random,
            "fd_write": _refuse,
            "fd_close": _refuse,
            "fd_seek": _refuse,
            "fd_fdstat_get": _refuse,
        }
        return found.get(name, _nothing)

    def _answer(self, _name: int, _length: int, _this: int, count: int, arguments: int) -> int:
        """Calls the host. What goes wrong is raised where QuickJS was called: nothing may be raised from here."""
        try:
            asked = self.read(self._number_at(arguments), _MOST_ASKED) if count else None
            answer = "" if asked is None else self._host(asked.decode("utf-8", "replace"))
            return self.text(answer.encode("utf-8", "replace"))
        except BaseException as error:  # noqa: BLE001
            self._failed = self._failed or error
            return 0

    def _write_time(self, _clock: int, _precision: int, at: int) -> int:
        self._poke(time.time_ns().to_bytes(8, "little"), at)
        return 0

    def _write_random(self, at: int, length: int) -> int:
        self._poke(os.urandom(length), at)
        return 0

    def _made(self, handle: int) -> int:
        if self._call("qjs_is_exception", handle):
            raise JavaScriptError(self._told())
        return handle

    def _told(self) -> str:
        thrown = self._call("qjs_get_exception")
        return (self.read(thrown, 10_000) or b"").decode("utf-8", "replace")

    def _put(self, data: bytes) -> int:
        at = self._allocate(len(data) + 1)
        self._poke(data + b"\0", at)
        return at

    def _allocate(self, size: int) -> int:
        at = self._call("wasm_malloc", size)
        if not at:
            raise JavaScriptError("out of memory")
        return int(at)

    def _number_at(self, at: int) -> int:
        return int.from_bytes(self._peek(at, 4), "little")

    def _peek(self, at: int, length: int) -> bytes:
        return bytes(self._export("memory").read(self._store, at, at + length))

    def _poke(self, data: bytes, at: int) -> None:
        self._export("memory").write(self._store, data, at)

    def _call(self, name: str, *arguments: int) -> Any:
        result = self._export(name)(self._store, *arguments)
        if self._failed is not None:
            raise self._failed
        return result

    def _export(self, name: str) -> Any:
        if name not in self._exports:
            self._exports[name] = self._linker.get(self._store, _MODULE, name)
        return self._exports[name]


def _nothing(*_: int) -> int:
    return 0


def _refuse(*_: int) -> int:
    return _BAD_DESCRIPTOR
