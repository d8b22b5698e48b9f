"""What worker processes have in common, loaded before they are forked: it exists once in memory, and their first work
does not wait for it."""

from __future__ import annotations

import importlib

from sqlalchemy.orm import configure_mappers

from flowforge.settings import Settings
from flowforge.triggers.kinds import trigger_kinds
from flowforge.wiring import Backends

_LOADED_ON_FIRST_USE = ("_strptime", "psycopg2.extras", "flowforge.connectors.tools")
"""Modules that libraries and `flowforge.wiring` import when they are first needed."""


def load_shared(settings: Settings) -> None:
    """Connects to nothing."""
    trigger_kinds()  # and with them the connectors
    configure_mappers()
    for name in _LOADED_ON_FIRST_USE:
        importlib.import_module(name)
    backends = Backends(settings, "flowforge")
    _ = backends.engine, backends.logbook
    backends.close()
