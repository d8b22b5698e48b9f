"""The dialects, one file each, in which `DIALECT` declares it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from flowforge.connectors.llm.dialect import Dialect


@cache
def dialects() -> Mapping[str, Dialect]:
    """All of them by their names."""
    modules = [import_module(f"{__name__}.{found.name}") for found in iter_modules(__path__)]
    return {module.DIALECT.name: module.DIALECT for module in modules}
