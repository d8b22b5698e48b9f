"""Every setting with its meaning, as the text of `.env.example`."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

from pydantic import AliasChoices, SecretStr
from pydantic.fields import FieldInfo

from flowforge.settings import Settings

_HEAD = """\
# Every setting FlowForge reads, with its default. Copy what you change to `.env`; the environment wins over `.env`.
# Written by `python -m flowforge settings`.
"""


def env_example() -> str:
    return "\n".join([_HEAD, *(_entry(field) for field in Settings.model_fields.values())])


def names(field: FieldInfo) -> list[str]:
    """The environment variables a setting is read from, the first one first."""
    alias = field.validation_alias
    return [str(choice) for choice in alias.choices] if isinstance(alias, AliasChoices) else [str(alias)]


def _entry(field: FieldInfo) -> str:
    name, *aliases = names(field)
    meaning = (field.description or "") + (f" Also read from {', '.join(aliases)}." if aliases else "")
    comment = textwrap.fill(meaning, width=110, initial_indent="# ", subsequent_indent="# ")
    return f"{comment}\n#{name}={_format_default(field.default)}\n"


def _format_default(default: Any) -> str:
    match default:
        case None:
            return ""
        case bool():
            return str(default).lower()
        case list():
            return ",".join(map(str, default))
        case SecretStr():
            return default.get_secret_value()
        case Path():
            return default.as_posix()
        case _:
            return str(default)
