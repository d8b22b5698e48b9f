"""Commands that the palette has for everybody: the pages of the dashboard, and what can be begun on any of them.

Each comes with words by which people also call it, in English: they are searched and never shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flowforge.accounts.appearance import Theme
from webapp.translation.texts import lazy


@dataclass(frozen=True, slots=True)
class StandingCommand:
    """`is_action`: whether it is posted, with nothing but its `arguments`."""

    title: str
    icon: str
    endpoint: str
    words: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    is_action: bool = False
    is_for_administrators: bool = False


def _action(title: str, icon: str, endpoint: str, words: str, **arguments: str) -> StandingCommand:
    return StandingCommand(title, icon, endpoint, words, arguments, is_action=True)


def _of_administration(title: str, endpoint: str, words: str) -> StandingCommand:
    return StandingCommand(title, "administration", endpoint, f"{words} administration", is_for_administrators=True)


def _setting(title: str, endpoint: str, words: str) -> StandingCommand:
    return StandingCommand(title, "settings", endpoint, f"{words} settings account")


ACTIONS: Sequence[StandingCommand] = (
    _action(lazy("New workflow"), "plus", "ui.build_workflow", "create add build"),
    StandingCommand(lazy("New workflow from a template"), "plus", "ui.templates", "create add example gallery"),
    StandingCommand(lazy("Import workflows"), "plus", "ui.import_workflows", "n8n yaml json file upload"),
    StandingCommand(lazy("New connection"), "plus", "ui.new_connection", "create add credentials sign in oauth"),
    StandingCommand(lazy("New table"), "plus", "ui.new_table", "create add data rows"),
    _action(lazy("Light theme"), "settings", "ui.switch_theme", "switch appearance mode", theme=Theme.LIGHT),
    _action(lazy("Dark theme"), "settings", "ui.switch_theme", "switch appearance mode night", theme=Theme.DARK),
    _action(lazy("Theme of the system"), "settings", "ui.switch_theme", "switch appearance auto", theme=Theme.SYSTEM),
    _action(lazy("Sign out"), "leave", "ui.sign_out", "log out logout"),
)
PAGES: Sequence[StandingCommand] = (
    StandingCommand(lazy("Home"), "home", "ui.home", "dashboard start overview"),
    StandingCommand(lazy("Workflows"), "workflows", "ui.workflows", "automations flows"),
    StandingCommand(lazy("Executions"), "executions", "ui.executions", "runs history log"),
    StandingCommand(lazy("Failed executions"), "executions", "ui.executions", "runs errors", {"status": "FAILED"}),
    StandingCommand(lazy("Connections"), "connections", "ui.connections", "credentials secrets accounts"),
    StandingCommand(lazy("Variables"), "connections", "ui.variables", "settings constants"),
    StandingCommand(lazy("APIs"), "apis", "ui.apis", "openapi swagger services"),
    StandingCommand(lazy("Tables"), "table", "ui.list_tables", "data rows storage"),
    StandingCommand(lazy("Templates"), "workflows", "ui.templates", "examples gallery"),
    StandingCommand(lazy("Failed messages"), "letters", "ui.failed_messages", "dead letters queue administration"),
    _of_administration(lazy("Administration"), "ui.administration_start", "system workers queues health disk"),
    _of_administration(lazy("Accounts"), "ui.managed_accounts", "users people invitations quotas"),
    _setting(lazy("Settings"), "ui.settings", "profile time zone e-mail name language"),
    _setting(lazy("Appearance"), "ui.appearance_settings", "theme dark light density compact"),
    _setting(lazy("Error workflow"), "ui.error_workflow_settings", "failures alerts notifications"),
    _setting(lazy("Password"), "ui.password_settings", "change"),
    _setting(lazy("Second factor"), "ui.second_factor_settings", "2fa totp mfa authenticator"),
    _setting(lazy("Access tokens"), "ui.token_settings", "api keys personal"),
    _setting(lazy("Sessions"), "ui.session_settings", "devices browsers"),
    _setting(lazy("Audit log"), "ui.audit_log", "administration history who"),
    StandingCommand(lazy("API reference"), "docs", "openapi.page", "rest http documentation endpoints"),
    StandingCommand(lazy("Help"), "help", "help.show", "documentation manual guide docs", {"path": ""}),
)
