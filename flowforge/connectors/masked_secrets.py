"""The stored config that a masked one stands for: a mask that a client sends back means 'keep what is stored'."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from flowforge.connectors.catalog import Catalog, UnknownAction
from flowforge.errors import Problem
from flowforge.language.pointers import pointer
from flowforge.secrets import MASK, secret_entries
from flowforge.sentences import sentence

Json = Mapping[str, Any]
_NOTHING_KEPT = sentence("is masked, but no secret is stored here to be kept; give the secret itself")


def secret_keys(catalog: Catalog, action_type: str) -> tuple[str, ...]:
    """Empty for a type that no connector has."""
    try:
        return catalog.get(action_type).secret_keys()
    except UnknownAction:
        return ()


def masks_of_nothing(config: Json, keys: Iterable[str], stored: Json | None, at: str) -> list[Problem]:
    """A problem for every mask under `keys` that has no stored secret behind it."""
    return [
        Problem(at + pointer(_path(config, key, name)), _NOTHING_KEPT)
        for key in keys
        for name, text in secret_entries(config, key)
        if text == MASK and name not in dict(secret_entries(stored or {}, key))
    ]


def stored_configs(catalog: Catalog, actions: Sequence[Json], stored: Sequence[Any]) -> list[Json | None]:
    """The config that each action had before; None for an action that is new.

    The earlier action is the one with the same id; else one of the same type that looks the same, secrets aside; else
    the one of the same type at the same position. So an action that only moved keeps its own secrets.
    """
    by_type: dict[str, list[_StoredAction]] = defaultdict(list)
    for position, action in enumerate(action for action in stored if isinstance(action, dict)):
        by_type[_type(action)].append(_StoredAction(position, action, _masked_config(catalog, action)))
    return [
        _config(_earlier(catalog, action, position, by_type[_type(action)])) for position, action in enumerate(actions)
    ]


class _StoredAction(NamedTuple):
    position: int
    action: Json
    masked_config: Json


def _earlier(catalog: Catalog, action: Json, position: int, same_type: Sequence[_StoredAction]) -> Json | None:
    if action.get("id"):
        by_id = next((old.action for old in same_type if old.action.get("id") == action["id"]), None)
        if by_id is not None:
            return by_id
    here = next((old for old in same_type if old.position == position), None)
    masked = _masked_config(catalog, action)
    if here is not None and here.masked_config == masked:
        return here.action
    alike = next((old for old in same_type if old.masked_config == masked), here)
    return None if alike is None else alike.action


def _masked_config(catalog: Catalog, action: Json) -> Json:
    return catalog.mask(_type(action), _config(action) or {})


def _type(action: Json) -> str:
    return str(action.get("type", "")).upper()


def _config(action: Json | None) -> Json | None:
    config = action.get("config") if action else None
    return config if isinstance(config, dict) else None


def _path(config: Json, key: str, name: str | None) -> tuple[str, ...]:
    """The path of a secret: the entry of an object, or the text that holds it."""
    return (key, name) if name is not None and isinstance(config.get(key), Mapping) else (key,)
