"""The place in the help (docs/) that each page opens: its page there, with the heading."""

from __future__ import annotations

from collections.abc import Mapping

from flask import request, url_for

from webapp.ui.base import blueprint

HELP: Mapping[str, str] = {
    "ui.home": "dashboard/#home",
    "ui.workflows": "dashboard/#workflows",
    "ui.list_deleted_workflows": "dashboard/#deleted-workflows",
    "ui.workflow": "dashboard/#workflows",
    "ui.templates": "getting-started/",
    "ui.template": "getting-started/",
    "ui.new_workflow": "language/",
    "ui.edit_workflow": "language/",
    "ui.builder": "dashboard/#builder",
    "ui.builder_text": "workflows-as-code/",
    "ui.workflow_versions": "testing-workflows/#versions",
    "ui.import_workflows": "n8n/",
    "ui.executions": "dashboard/#executions",
    "ui.execution": "execution-states/",
    "ui.execution_items": "execution-states/#frames-what-happens-inside-blocks",
    "ui.failed_messages": "dashboard/#failed-messages",
    "ui.connections": "connections/",
    "ui.new_connection": "connections/",
    "ui.connection": "connections/",
    "ui.connection_device": "connections/#signing-in-with-oauth-20",
    "ui.variables": "connections/#variables",
    "ui.apis": "apis/",
    "ui.api": "apis/#as-it-is-written",
    "ui.api_version": "apis/#a-new-file",
    "ui.list_tables": "tables/",
    "ui.new_table": "tables/",
    "ui.table": "tables/",
    "ui.table_columns": "tables/",
    "ui.new_row": "tables/",
    "ui.row": "tables/",
    "ui.system": "operations/#health",
    "ui.managed_accounts": "accounts/#invitations",
    "ui.managed_account": "accounts/#quotas",
    "ui.audit_log": "accounts/#audit-log",
    "ui.settings": "accounts/",
    "ui.appearance_settings": "dashboard/#appearance",
    "ui.error_workflow_settings": "language/#settings",
    "ui.password_settings": "accounts/#passwords",
    "ui.second_factor_settings": "operations/#second-factor",
    "ui.token_settings": "security/",
    "ui.session_settings": "accounts/#signing-out",
}
"""By the endpoint of a page that is shown in the frame, as an address below /help/."""


@blueprint.app_context_processor
def _help_for_templates() -> dict[str, object]:
    return {"help_link": help_link}


def help_link() -> str:
    """The address of the help for the page that is shown; of its start for one that has none."""
    page, _, heading = HELP.get(request.endpoint or "", "").partition("#")
    return url_for("help.show", path=page, _anchor=heading or None)
