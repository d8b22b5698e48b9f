"""What the scripts of pages import. A page names all of it with each script: a browser fetches the modules at once
instead of finding one behind another."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from flask import Flask, current_app

from webapp.static_files import version

_IMPORT = re.compile(r'^(?:import|export) (?:[\w\s{},*]*? from )?"(\.[^"]+)";$', re.MULTILINE)


def install(app: Flask) -> None:
    """Gives templates `imports_of`."""
    app.jinja_env.globals["imports_of"] = imports_of


def imports_of(filename: str) -> tuple[str, ...]:
    """Return the static files that a script imports at its start, and those that they import in turn, each once."""
    return _imports_of(current_app.static_folder or "", version(), filename)


@lru_cache(maxsize=64)
def _imports_of(folder: str, _version: str, filename: str) -> tuple[str, ...]:
    found = dict.fromkeys([filename])
    waiting = [filename]
    while waiting:
        new = [name for name in _imported_by(folder, waiting.pop()) if name not in found]
        found |= dict.fromkeys(new)
        waiting += new
    return tuple(found)[1:]


def _imported_by(folder: str, filename: str) -> Iterator[str]:
    source = Path(folder, filename).read_text()
    for relative in _IMPORT.findall(source):
        yield posixpath.normpath(posixpath.join(posixpath.dirname(filename), relative))
