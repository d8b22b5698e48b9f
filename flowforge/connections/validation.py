"""Problems of a connection as a client sends it: its name, its kind, its config."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from flowforge.connectors.masked_secrets import masks_of_nothing
from flowforge.connectors.sdk import ConnectionKind
from flowforge.errors import Problem
from flowforge.jsonio import JsonObject
from flowforge.language.evaluation.names import hint
from flowforge.sentences import sentence

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")


def problems_of_name(name: Any) -> list[Problem]:
    if isinstance(name, str) and _NAME.fullmatch(name):
        return []
    wanted = sentence("must be small letters, digits, _ and -, at most 63 of them, and begin with a letter or digit")
    return [Problem("/name", wanted)]


def problems_of_kind(type_: Any, kinds: Mapping[str, ConnectionKind[Any]]) -> list[Problem]:
    return (
        []
        if isinstance(type_, str) and type_ in kinds
        else [Problem("/type", sentence("must be one of %(choices)s", choices=", ".join(kinds)))]
    )


def problems_of_config(
    kind: ConnectionKind[Any], config: Mapping[str, Any], stored: Mapping[str, Any] | None
) -> list[Problem]:
    """`stored`: the config that masks stand for."""
    unknown = [key for key in config if key not in kind.fields]
    return [
        *(
            Problem(f"/config/{key}", sentence("is no field of it%(hint)s", hint=hint(key, kind.fields)))
            for key in unknown
        ),
        *kind.problems(filled_in(config), "/config"),
        *masks_of_nothing(config, kind.secret_keys(), stored, "/config"),
    ]


def filled_in(config: Mapping[str, Any]) -> JsonObject:
    """The fields that say something; a form sends empty texts, too."""
    return {key: value for key, value in config.items() if value not in (None, "")}
