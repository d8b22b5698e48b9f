"""Definitions as they are stored, secrets sealed, and as they are shown, secrets masked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flowforge import jsonio
from flowforge.connectors.catalog import Catalog
from flowforge.language.definition import WorkflowDefinition
from flowforge.language.tree import map_actions
from flowforge.operations.judging import Before, config_of, flat
from flowforge.operations.kept_secrets import stored_configs
from flowforge.operations.triggers import Triggers
from flowforge.secrets import SecretUnreadable, Vault

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class StoredForm:
    catalog: Catalog
    vault: Vault
    triggers: Triggers

    def of(self, definition: WorkflowDefinition, before: Before) -> Json:
        """As a version holds it. A masked secret is the one that was there before."""
        written = definition.dump()
        trigger = written["trigger"]
        if trigger is not None and trigger.get("config"):
            trigger["config"] = self.triggers.seal(trigger["config"], config_of(before.trigger))
        return {**written, "trigger": trigger, "actions": self._sealed(written["actions"], before.actions)}

    def same(self, one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
        """Whether two stored definitions are the same but for the ciphers of their secrets."""
        try:
            return _same(self._opened(one), self._opened(other))
        except SecretUnreadable:
            return False

    def masked_actions(self, actions: Any) -> Any:
        return map_actions(listed(actions), self._masked_action)

    def masked_trigger(self, trigger: Any) -> Any:
        config = config_of(trigger)
        return trigger if config is None else {**trigger, "config": self.triggers.masked(config)}

    def _sealed(self, actions: list[Json], stored: Any) -> list[Json]:
        before = iter(stored_configs(self.catalog, flat(actions), flat(stored)))

        def seal(action: Json) -> Json:
            kept = next(before)
            if not action.get("config"):
                return action
            return {**action, "config": self.catalog.seal(action["type"], action["config"], self.vault, kept)}

        sealed: list[Json] = map_actions(actions, seal)
        return sealed

    def _opened(self, stored: Mapping[str, Any]) -> Any:
        """Raises SecretUnreadable."""
        trigger, config = stored.get("trigger"), config_of(stored.get("trigger"))
        opened = {
            "name": stored.get("name"),
            "trigger": {**trigger, "config": self.triggers.opened(config)} if trigger and config else trigger,
            "actions": map_actions(listed(stored.get("actions")), self._opened_action),
            "settings": stored.get("settings"),
        }
        return jsonio.loads(jsonio.dumps_for_database(opened))  # as the database gives it back

    def _opened_action(self, action: Json) -> Json:
        config = config_of(action)
        return action if config is None else {**action, "config": self.catalog.open(action["type"], config, self.vault)}

    def _masked_action(self, action: Json) -> Json:
        config = config_of(action)
        if config is None:
            return action
        return {**action, "config": self.catalog.mask(str(action.get("type", "")), config)}


def listed(actions: Any) -> Sequence[Any]:
    """Of an adopted row, which may hold anything."""
    return actions if isinstance(actions, list) else []


def _same(one: Any, other: Any) -> bool:
    """1 is 1.0, which databases do not keep apart, and neither is true."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(value, other[key]) for key, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return isinstance(one, bool) is isinstance(other, bool) and bool(one == other)
