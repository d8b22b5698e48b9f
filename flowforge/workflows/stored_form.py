"""Definitions as they are stored, secrets sealed, and as they are shown, secrets masked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flowforge import jsonio
from flowforge.connectors.catalog import Catalog
from flowforge.connectors.masked_secrets import stored_configs
from flowforge.field_order import order_of
from flowforge.jsonio import JsonObject
from flowforge.language.definition import WorkflowDefinition
from flowforge.language.differences import same
from flowforge.language.tree import map_actions
from flowforge.secrets import SecretUnreadable, Vault
from flowforge.triggers.registrations import Triggers
from flowforge.workflows.validation import Before, config_of, flat


@dataclass(frozen=True, slots=True)
class StoredForm:
    catalog: Catalog
    vault: Vault
    triggers: Triggers

    def of(self, definition: WorkflowDefinition, before: Before) -> JsonObject:
        """Convert a definition to the form in which a version holds it. A mask stands for the secret that was there
        before."""
        written = definition.dump()
        trigger = written["trigger"]
        if trigger is not None and trigger.get("config"):
            trigger["config"] = self.triggers.seal(trigger["config"], config_of(before.trigger))
        return {**written, "trigger": trigger, "actions": self._seal(written["actions"], before.actions)}

    def same(self, first: Mapping[str, Any], second: Mapping[str, Any]) -> bool:
        """Whether two stored definitions are the same, down to the order of fields, but for the ciphers of their
        secrets."""
        try:
            one, other = self.opened(first), self.opened(second)
        except SecretUnreadable:
            return False
        return same(one, other) and order_of(one) == order_of(other)

    def masked(self, definition: Mapping[str, Any]) -> JsonObject:
        """`{name, trigger, actions, settings}`, stored or in clear, as it may be shown."""
        return {
            "name": definition.get("name"),
            "trigger": self.masked_trigger(definition.get("trigger")),
            "actions": self.masked_actions(definition.get("actions")),
            "settings": definition.get("settings"),
        }

    def masked_actions(self, actions: Any) -> Any:
        return map_actions(listed(actions), self._masked_action)

    def masked_trigger(self, trigger: Any) -> Any:
        config = config_of(trigger)
        return trigger if config is None else {**trigger, "config": self.triggers.masked(config)}

    def _seal(self, actions: list[JsonObject], stored: Any) -> list[JsonObject]:
        before = iter(stored_configs(self.catalog, flat(actions), flat(stored)))

        def seal(action: JsonObject) -> JsonObject:
            kept = next(before)
            if not action.get("config"):
                return action
            return {**action, "config": self.catalog.seal(action["type"], action["config"], self.vault, kept)}

        sealed: list[JsonObject] = map_actions(actions, seal)
        return sealed

    def opened(self, stored: Mapping[str, Any]) -> JsonObject:
        """A stored definition with its secrets in clear. Raises SecretUnreadable."""
        trigger, config = stored.get("trigger"), config_of(stored.get("trigger"))
        opened = {
            "name": stored.get("name"),
            "trigger": {**trigger, "config": self.triggers.opened(config)} if trigger and config else trigger,
            "actions": map_actions(listed(stored.get("actions")), self._opened_action),
            "settings": stored.get("settings"),
        }
        as_the_database_gives_it: JsonObject = jsonio.loads(jsonio.dumps_for_database(opened))
        return as_the_database_gives_it

    def _opened_action(self, action: JsonObject) -> JsonObject:
        config = config_of(action)
        return action if config is None else {**action, "config": self.catalog.open(action["type"], config, self.vault)}

    def _masked_action(self, action: JsonObject) -> JsonObject:
        config = config_of(action)
        if config is None:
            return action
        return {**action, "config": self.catalog.mask(str(action.get("type", "")), config)}


def listed(actions: Any) -> Sequence[Any]:
    """The actions as a list; an adopted row may hold anything."""
    return actions if isinstance(actions, list) else []
