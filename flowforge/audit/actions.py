"""Kinds of acts that the audit log records, with their names for people."""

from __future__ import annotations

from enum import StrEnum


class Action(StrEnum):
    """Acts that are recorded, named `subject.verb`. The names stand in exports and in old entries: none is ever
    changed."""

    SIGNED_IN = "sign-in.succeeded"
    SIGN_IN_FAILED = "sign-in.failed"
    PASSWORD_REFUSED = "password.refused"  # noqa: S105
    SIGNED_OUT = "sign-in.ended"
    SIGNED_OUT_EVERYWHERE = "sign-ins.ended"

    ACCOUNT_CREATED = "account.created"
    EMAIL_CHANGED = "account.email-changed"
    ACCOUNT_DISABLED = "account.disabled"
    ACCOUNT_ENABLED = "account.enabled"
    ACCOUNT_DELETED = "account.deleted"
    ROLE_CHANGED = "account.role-changed"
    QUOTAS_CHANGED = "account.quotas-changed"
    INVITATION_CREATED = "invitation.created"
    INVITATION_WITHDRAWN = "invitation.withdrawn"

    PASSWORD_CHANGED = "password.changed"  # noqa: S105
    RESET_LINK_CREATED = "password.reset-link-created"
    PASSWORD_RESET = "password.reset"  # noqa: S105
    SECOND_FACTOR_ON = "second-factor.turned-on"
    SECOND_FACTOR_OFF = "second-factor.turned-off"
    RECOVERY_CODES_RENEWED = "second-factor.recovery-codes-renewed"

    TOKEN_CREATED = "token.created"  # noqa: S105
    TOKEN_REVOKED = "token.revoked"  # noqa: S105

    CONNECTION_CREATED = "connection.created"
    CONNECTION_CHANGED = "connection.changed"
    CONNECTION_DELETED = "connection.deleted"
    CONNECTION_SIGNED_IN = "connection.signed-in"
    CONNECTION_SIGNED_OUT = "connection.signed-out"
    API_ADDED = "api.added"
    API_CHANGED = "api.changed"
    API_DELETED = "api.deleted"
    VARIABLE_SET = "variable.set"
    VARIABLE_DELETED = "variable.deleted"
    TABLE_CREATED = "table.created"
    TABLE_CHANGED = "table.changed"
    TABLE_DELETED = "table.deleted"
    TABLE_EXPORTED = "table.exported"
    TABLE_IMPORTED = "table.imported"
    SECRET_SET = "secret.set"  # noqa: S105
    SECRET_DELETED = "secret.deleted"  # noqa: S105

    WORKFLOW_CREATED = "workflow.created"
    WORKFLOW_PUBLISHED = "workflow.published"
    WORKFLOW_ENABLED = "workflow.enabled"
    WORKFLOW_DISABLED = "workflow.disabled"
    WORKFLOW_DELETED = "workflow.deleted"
    WORKFLOW_RESTORED = "workflow.restored"
    WORKFLOW_PURGED = "workflow.purged"
    ERROR_WORKFLOW_CHOSEN = "error-workflow.chosen"
    TRIGGER_CREATED = "trigger.created"
    TRIGGER_CHANGED = "trigger.changed"
    TRIGGER_RENEWED = "trigger.renewed"
    TRIGGER_DELETED = "trigger.deleted"
    WORKFLOWS_EXPORTED = "workflows.exported"

    EXECUTION_REPLAYED = "execution.replayed"
    EXECUTIONS_REPLAYED = "executions.replayed"
    EXECUTION_CANCELLED = "execution.cancelled"
    EXECUTIONS_DELETED = "executions.deleted"
    DEAD_LETTER_RETRIED = "dead-letter.retried"
    DEAD_LETTER_DISCARDED = "dead-letter.discarded"

    AUDIT_LOG_EXPORTED = "audit-log.exported"
