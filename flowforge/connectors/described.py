"""Connectors whose fields, outputs and problems follow from what the account has: an API, a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flowforge.connectors.account import Account
from flowforge.errors import Problem
from flowforge.jsonio import JsonObject

Config = Mapping[str, Any]
"""As it is written: any part may be missing, of another type, or an expression."""

API_CALL = "API_CALL"
"""The type of the steps that call any operation."""
API, OPERATION, VERSION = "api", "operation", "version"
"""The keys of a config by which a step says what it calls."""


@dataclass(frozen=True, slots=True)
class Described:
    """What follows from what a config names. None of these raises: what cannot be found is a problem, or left out."""

    schema: Callable[[JsonObject, Config, Account], JsonObject]
    """The JSON Schema of the config, from that of the connector: with the choices there are, and the fields of what is
    chosen."""
    problems: Callable[[Config, Account, str], list[Problem]]
    """What is wrong with a config at a pointer, expressions left alone."""
    settled: Callable[[Config, Account], JsonObject]
    """The config as a version of a workflow keeps it, so that a new file does not change what it does."""
    sample: Callable[[Config, Account], JsonObject | None]
    """An output that looks like those to come; None where nothing is known of it."""
