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
from webapp.ui.asked import asked_again
from webapp.ui.base import blueprint
from webapp.ui.guard import viewer_id
from webapp.ui.zones import read_local

NOBODY = UUID(int=0)
TITLES = {
    Action.SIGNED_IN: "Signed in",
    Action.SIGN_IN_FAILED: "Sign-in failed",
    Action.PASSWORD_REFUSED: "Password or code refused",
    Action.SIGNED_OUT: "Signed out",
    Action.SIGNED_OUT_EVERYWHERE: "Signed out everywhere",
    Action.ACCOUNT_CREATED: "Account created",
    Action.EMAIL_CHANGED: "E-mail changed",
    Action.ACCOUNT_DISABLED: "Account disabled",
    Action.ACCOUNT_ENABLED: "Account enabled",
    Action.ACCOUNT_DELETED: "Account deleted",
    Action.ROLE_CHANGED: "Role changed",
    Action.QUOTAS_CHANGED: "Quotas changed",
    Action.INVITATION_CREATED: "Invitation made",
    Action.INVITATION_WITHDRAWN: "Invitation withdrawn",
    Action.PASSWORD_CHANGED: "Password changed",
    Action.RESET_LINK_CREATED: "Link for a new password made",
    Action.PASSWORD_RESET: "Password set anew by a link",
    Action.SECOND_FACTOR_ON: "Second factor turned on",
    Action.SECOND_FACTOR_OFF: "Second factor turned off",
    Action.RECOVERY_CODES_RENEWED: "Recovery codes renewed",
    Action.TOKEN_CREATED: "Access token created",
    Action.TOKEN_REVOKED: "Access token revoked",
    Action.CONNECTION_CREATED: "Connection created",
    Action.CONNECTION_CHANGED: "Connection changed",
    Action.CONNECTION_SIGNED_IN: "Signed in with a connection",
    Action.CONNECTION_SIGNED_OUT: "Signed out of a connection",
    Action.CONNECTION_DELETED: "Connection deleted",
    Action.API_ADDED: "API added",
    Action.API_CHANGED: "API changed",
    Action.API_DELETED: "API deleted",
    Action.VARIABLE_SET: "Variable set",
    Action.VARIABLE_DELETED: "Variable deleted",
    Action.TABLE_CREATED: "Table created",
    Action.TABLE_CHANGED: "Table changed",
    Action.TABLE_DELETED: "Table deleted",
    Action.TABLE_EXPORTED: "Table exported",
    Action.TABLE_IMPORTED: "Table imported",
    Action.SECRET_SET: "Secret set",
    Action.SECRET_DELETED: "Secret deleted",
    Action.WORKFLOW_CREATED: "Workflow created",
    Action.WORKFLOW_PUBLISHED: "Workflow published",
    Action.WORKFLOW_ENABLED: "Workflow enabled",
    Action.WORKFLOW_DISABLED: "Workflow disabled",
    Action.WORKFLOW_DELETED: "Workflow deleted",
    Action.WORKFLOW_RESTORED: "Workflow restored",
    Action.WORKFLOW_PURGED: "Workflow deleted permanently",
    Action.TRIGGER_CREATED: "Trigger created",
    Action.TRIGGER_CHANGED: "Trigger changed",
    Action.TRIGGER_RENEWED: "Address of a trigger renewed",
    Action.TRIGGER_DELETED: "Trigger deleted",
    Action.WORKFLOWS_EXPORTED: "Workflows exported",
    Action.EXECUTION_REPLAYED: "Execution replayed",
    Action.EXECUTIONS_REPLAYED: "Executions replayed",
    Action.EXECUTION_CANCELLED: "Execution cancelled",
    Action.EXECUTIONS_DELETED: "Executions deleted",
    Action.DEAD_LETTER_RETRIED: "Failed message retried",
    Action.DEAD_LETTER_DISCARDED: "Failed message discarded",
    Action.AUDIT_LOG_EXPORTED: "Audit log exported",
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
        return "yes" if value else "no"
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
