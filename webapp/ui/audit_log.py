"""The audit log: its filter stands in the address."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import render_template, request, url_for
from flask_login import current_user

from flowforge import jsonio
from flowforge.audit import search
from flowforge.audit.actions import Action
from flowforge.audit.search import AuditEntry, Filter
from webapp.context import session
from webapp.translation.texts import gettext, lazy
from webapp.ui.asked import asked_again
from webapp.ui.base import blueprint
from webapp.ui.guard import viewer_id
from webapp.ui.zones import read_local

NOBODY = UUID(int=0)
TITLES = {
    Action.SIGNED_IN: lazy("Signed in"),
    Action.SIGN_IN_FAILED: lazy("Sign-in failed"),
    Action.PASSWORD_REFUSED: lazy("Password or code refused"),
    Action.SIGNED_OUT: lazy("Signed out"),
    Action.SIGNED_OUT_EVERYWHERE: lazy("Signed out everywhere"),
    Action.ACCOUNT_CREATED: lazy("Account created"),
    Action.EMAIL_CHANGED: lazy("E-mail changed"),
    Action.ACCOUNT_DISABLED: lazy("Account disabled"),
    Action.ACCOUNT_ENABLED: lazy("Account enabled"),
    Action.ACCOUNT_DELETED: lazy("Account deleted"),
    Action.ROLE_CHANGED: lazy("Role changed"),
    Action.QUOTAS_CHANGED: lazy("Quotas changed"),
    Action.INVITATION_CREATED: lazy("Invitation created"),
    Action.INVITATION_WITHDRAWN: lazy("Invitation withdrawn"),
    Action.PASSWORD_CHANGED: lazy("Password changed"),
    Action.RESET_LINK_CREATED: lazy("Password reset link created"),
    Action.PASSWORD_RESET: lazy("Password reset"),
    Action.SECOND_FACTOR_ON: lazy("Two-factor authentication enabled"),
    Action.SECOND_FACTOR_OFF: lazy("Two-factor authentication disabled"),
    Action.RECOVERY_CODES_RENEWED: lazy("Recovery codes renewed"),
    Action.TOKEN_CREATED: lazy("Access token created"),
    Action.TOKEN_REVOKED: lazy("Access token revoked"),
    Action.CONNECTION_CREATED: lazy("Connection created"),
    Action.CONNECTION_CHANGED: lazy("Connection changed"),
    Action.CONNECTION_SIGNED_IN: lazy("Connection signed in"),
    Action.CONNECTION_SIGNED_OUT: lazy("Connection signed out"),
    Action.CONNECTION_DELETED: lazy("Connection deleted"),
    Action.API_ADDED: lazy("API added"),
    Action.API_CHANGED: lazy("API changed"),
    Action.API_DELETED: lazy("API deleted"),
    Action.VARIABLE_SET: lazy("Variable set"),
    Action.VARIABLE_DELETED: lazy("Variable deleted"),
    Action.TABLE_CREATED: lazy("Table created"),
    Action.TABLE_CHANGED: lazy("Table changed"),
    Action.TABLE_DELETED: lazy("Table deleted"),
    Action.TABLE_EXPORTED: lazy("Table exported"),
    Action.TABLE_IMPORTED: lazy("Table imported"),
    Action.SECRET_SET: lazy("Secret set"),
    Action.SECRET_DELETED: lazy("Secret deleted"),
    Action.WORKFLOW_CREATED: lazy("Workflow created"),
    Action.WORKFLOW_PUBLISHED: lazy("Workflow published"),
    Action.WORKFLOW_ENABLED: lazy("Workflow enabled"),
    Action.WORKFLOW_DISABLED: lazy("Workflow disabled"),
    Action.WORKFLOW_DELETED: lazy("Workflow deleted"),
    Action.WORKFLOW_RESTORED: lazy("Workflow restored"),
    Action.WORKFLOW_PURGED: lazy("Workflow deleted permanently"),
    Action.ERROR_WORKFLOW_CHOSEN: lazy("Error workflow chosen"),
    Action.TRIGGER_CREATED: lazy("Trigger created"),
    Action.TRIGGER_CHANGED: lazy("Trigger changed"),
    Action.TRIGGER_RENEWED: lazy("Webhook URL renewed"),
    Action.TRIGGER_DELETED: lazy("Trigger deleted"),
    Action.WORKFLOWS_EXPORTED: lazy("Workflows exported"),
    Action.EXECUTION_REPLAYED: lazy("Execution replayed"),
    Action.EXECUTIONS_REPLAYED: lazy("Executions replayed"),
    Action.EXECUTION_CANCELLED: lazy("Execution cancelled"),
    Action.EXECUTIONS_DELETED: lazy("Executions deleted"),
    Action.DEAD_LETTER_RETRIED: lazy("Failed message retried"),
    Action.DEAD_LETTER_DISCARDED: lazy("Failed message discarded"),
    Action.AUDIT_LOG_EXPORTED: lazy("Audit log exported"),
}


@blueprint.get("/audit-log")
def audit_log() -> str:
    wanted = _requested_filter()
    after = request.args.get("after", type=UUID)
    return render_template(
        "administration/audit_log.html",
        page=search.find_page(session(), search.seen_by(session(), viewer_id(), wanted), after),
        after=after,
        entered=request.args,
        is_filtered=wanted != Filter(),
        actions=TITLES,
        older=_older,
        exported={form: url_for(f"audit.export_{form}", **_for_export(wanted)) for form in ("csv", "jsonl")},
    )


@blueprint.app_template_filter()
def audit_details(entry: AuditEntry) -> str:
    """role: admin, before: member. Returns what else is known of it."""
    return ", ".join(f"{name.replace('_', ' ')}: {_brief(value)}" for name, value in entry.details.items())


def _brief(value: Any) -> str:
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    return str(value)


def _requested_filter() -> Filter:
    """Read the filter; values that make no sense are ignored, since addresses may be old, or typed."""
    action = request.args.get("action", "")
    return Filter(
        account_id=_account(request.args.get("account", "").strip()),
        action=Action(action) if action in set(Action) else None,
        since=read_local(request.args.get("since", "")),
        until=read_local(request.args.get("until", "")),
    )


def _account(name: str) -> UUID | None:
    """The account that an administrator looks for; others always look at their own."""
    if not name or not current_user.is_administrator:
        return None
    return search.account_named(session(), name) or NOBODY


def _older(after: UUID) -> str:
    return asked_again(url_for("ui.audit_log"), after=after)


def _for_export(wanted: Filter) -> dict[str, Any]:
    """The filter as the API takes it."""
    given = {
        "accountId": wanted.account_id and str(wanted.account_id),
        "action": wanted.action,
        "from": wanted.since and jsonio.format_time(wanted.since),
        "to": wanted.until and jsonio.format_time(wanted.until),
    }
    return {name: value for name, value in given.items() if value}
