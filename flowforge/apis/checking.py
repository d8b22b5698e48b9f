"""Inputs, checked against the form of their operation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flowforge.errors import Problem
from flowforge.jsonio import JsonObject


def find_problems(schema: JsonObject, value: Any, is_open: Callable[[Any], bool] = lambda _: False) -> list[Problem]:
    """What is wrong with a value after a schema made by `form_schema`, each with the pointer to its field.

    `is_open` says of a value that it is not known yet, as an expression's: it is right everywhere.
    """
    raise NotImplementedError
