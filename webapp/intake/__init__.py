"""Addresses that are open to the world: what is sent to them becomes an event, or resumes an execution.

Each file with a `blueprint` is a face of its own; the others are what they share.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

from flask import Blueprint


def blueprints() -> Iterator[Blueprint]:
    """Yield the blueprints of all files of this package."""
    for found in pkgutil.iter_modules(__path__):
        blueprint = getattr(importlib.import_module(f"{__name__}.{found.name}"), "blueprint", None)
        if isinstance(blueprint, Blueprint):
            yield blueprint
