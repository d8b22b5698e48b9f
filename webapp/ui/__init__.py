"""The dashboard: pages for people, over the same operations as the JSON API."""

from __future__ import annotations

from webapp.ui import (
    accounts,
    builder,
    builder_edits,
    builder_listening,
    builder_text,
    builder_trials,
    builder_versions,
    connections,
    dead_letters,
    execution_actions,
    execution_items,
    execution_list,
    executions,
    guide,
    home,
    second_factor,
    settings,
    starters,
    workflows,
)
from webapp.ui.base import blueprint

__all__ = [
    "accounts",
    "blueprint",
    "builder",
    "builder_edits",
    "builder_listening",
    "builder_text",
    "builder_trials",
    "builder_versions",
    "connections",
    "dead_letters",
    "execution_actions",
    "execution_items",
    "execution_list",
    "executions",
    "guide",
    "home",
    "second_factor",
    "settings",
    "starters",
    "workflows",
]
