"""All ways in which callers of webhooks can prove who they are: each file of this package declares one."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache

from flowforge.triggers.webhooks.authentication import Authentication


@cache
def authentications() -> Mapping[str, type[Authentication]]:
    """Collect the classes of this package by type, in the order in which they are offered."""
    modules = [importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__)]
    declared = [
        value
        for module in modules
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Authentication) and value.__module__ == module.__name__
    ]
    return {one.type: one for one in sorted(declared, key=lambda one: (one.rank, one.title))}
