"""QuickJS as machine code: compiled from WebAssembly once, which takes seconds, and kept for the processes to come."""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
import threading
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from flowforge.errors import Unavailable

if TYPE_CHECKING:
    from wasmtime import Engine, Module

_PROJECT = Path(__file__).resolve().parents[3]
WEBASSEMBLY = _PROJECT / "static" / "vendor" / "quickjs.wasm"
"""Fetched at set-up, from the package that package-lock.json pins by its hash."""
DEEPEST = 2 * 1024 * 1024
"""Bytes of the thread's stack that it may use."""

_compiling = threading.Lock()
_folder: Path | None = None


def keep_in(folder: Path) -> None:
    """Lets what is compiled be kept in this folder, which is made when it is needed."""
    global _folder
    _folder = folder


def new_engine() -> Engine:
    """An engine for one call: its epoch ends that call and no other."""
    from wasmtime import Config, Engine

    config = Config()
    config.epoch_interruption = True
    config.parallel_compilation = False
    config.max_wasm_stack = DEEPEST
    return Engine(config)


def load(engine: Engine) -> Module:
    """QuickJS for the engine. Raises Unavailable."""
    from wasmtime import Module

    with _compiling:
        return _load_kept(engine) or Module.deserialize(engine, _compile())


def _load_kept(engine: Engine) -> Module | None:
    """Machine code is run as it is: only what nobody but us can have written is taken."""
    from wasmtime import Module, WasmtimeError

    if _folder is None or not (_is_ours(_folder) and _is_ours(_folder / _name())):
        return None
    try:
        return Module.deserialize_file(engine, str(_folder / _name()))
    except WasmtimeError:
        return None  # it was cut off


@cache
def _compile() -> bytes:
    from wasmtime import Module

    code = bytes(Module(new_engine(), _webassembly()).serialize())
    if _folder is not None:
        with suppress(OSError):  # the next process compiles it again
            _keep(_folder, code)
    return code


def _keep(folder: Path, code: bytes) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=folder, delete=False) as file:
        file.write(code)
    Path(file.name).replace(folder / _name())


@cache
def _name() -> str:
    """Names what it depends on: QuickJS, and the compiler with its settings."""
    about = f"{version('wasmtime')} {DEEPEST}".encode()
    return f"quickjs-{hashlib.sha256(_webassembly() + about).hexdigest()[:32]}.bin"


def _webassembly() -> bytes:
    try:
        return WEBASSEMBLY.read_bytes()
    except FileNotFoundError as error:
        raise Unavailable("JavaScript cannot be run here: scripts/vendor_static.py has not fetched QuickJS") from error


def _is_ours(path: Path) -> bool:
    try:
        found = path.lstat()
    except OSError:
        return False
    is_plain = stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode)
    return is_plain and found.st_uid == os.getuid() and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
