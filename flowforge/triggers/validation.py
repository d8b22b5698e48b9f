"""Validation of a trigger's config: by the rules of its kind, that its masks stand for something, that its keys have
an effect."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from flowforge.connectors.masked_secrets import masks_of_nothing
from flowforge.errors import Problem
from flowforge.language.pointers import Part
from flowforge.language.unknown_keys import warnings_of
from flowforge.sentences import sentence
from flowforge.triggers.kind import TriggerKind
from flowforge.triggers.kinds import secret_keys


def problems_of_config(
    kind: TriggerKind[Any] | None, config: Any, pointer: str, stored: Mapping[str, Any] | None = None
) -> list[Problem]:
    """List what keeps a config from being used; a mask in it stands for the secret in `stored`.

    `kind`: None for a row of a kind that does not exist here; any object will do for it.
    """
    if config is not None and not isinstance(config, dict):
        return [Problem(pointer, sentence("must be an object"))]
    problems = masks_of_nothing(config or {}, secret_keys(), stored, pointer)
    own = kind.problems(config or {}) if kind else []
    return problems + [problem.under(pointer) for problem in own]


def warnings_of_config(kind: TriggerKind[Any], config: Mapping[str, Any], path: tuple[Part, ...]) -> Iterator[Problem]:
    """A warning for each key that has no effect on a trigger of that kind."""
    return warnings_of(kind.config, config, path, kind.further_keys(config))
