"""All presets, in the order in which they are offered: those of presets.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from flowforge.apis.document import read_document
from flowforge.connectors.presets.preset import Preset

_FILE = Path(__file__).with_name("presets.yaml")


@cache
def presets() -> Mapping[str, Preset]:
    """By name."""
    written = read_document(_FILE.read_bytes())
    return {name: Preset.read(name, parts) for name, parts in written.items()}


def matching_presets(words: str) -> list[Preset]:
    """Those in which all words are found."""
    wanted = words.lower().split()
    return [preset for preset in presets().values() if all(word in preset.searched for word in wanted)]


def with_preset(config: Any) -> Any:
    """The config of a new connection, filled in as the preset that it names says; as it is where it names none."""
    name = config.get("preset") if isinstance(config, dict) else None
    preset = presets().get(name) if isinstance(name, str) else None
    if preset is None:
        return config
    account = config.get("account")
    return {**preset.config_for(account if isinstance(account, str) else ""), **config}
