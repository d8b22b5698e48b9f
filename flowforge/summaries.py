"""Summaries: the part of a config that says most about a step, for its card in the builder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Summary = Callable[[Mapping[str, Any]], Any]
"""Gives a value of a config as it is written, expressions unresolved and secrets masked; None where it has none."""


def first_of(*fields: str) -> Summary:
    """The first of the fields that is filled in."""

    def summary(config: Mapping[str, Any]) -> Any:
        return next((config[field] for field in fields if _is_filled_in(config.get(field))), None)

    return summary


NO_SUMMARY = first_of()


def joined(*fields: str) -> Summary:
    """The fields that are filled in, with a space between them."""

    def summary(config: Mapping[str, Any]) -> Any:
        return " ".join(str(config[field]) for field in fields if _is_filled_in(config.get(field))) or None

    return summary


def _is_filled_in(value: Any) -> bool:
    return value not in (None, "", [], {})
