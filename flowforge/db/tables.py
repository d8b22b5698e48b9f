"""The tables. Four of them are the wire contract's (contract.md, section 4), with nullable columns added at the end;
the others are ours. Migrations and these models are held equal by a test.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    Computed,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Text,
    and_,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from flowforge.db.ordered_definition import OrderedDefinition
from flowforge.ids import uuid7
from flowforge.jsonio import JsonObject

_TIME = DateTime(timezone=True)


class Base(DeclarativeBase):
    type_annotation_map = {str: Text, datetime: _TIME, JsonObject: JSONB, list[Any]: JSONB}  # noqa: RUF012


class ContractRow:
    """The columns that the contract's four tables have in common."""

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7, server_default=text("gen_random_uuid()"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())


# -- auth


class Role(StrEnum):
    """Rights of an account on its instance."""

    OWNER = "owner"
    """An administrator who cannot be disabled, deleted or demoted. There is one: the first account."""
    ADMIN = "admin"
    """Manages the accounts of the instance; sees nothing of what belongs to them."""
    MEMBER = "member"


ADMINISTRATORS = (Role.OWNER, Role.ADMIN)


class User(ContractRow, Base):
    __tablename__ = "users"
    __table_args__ = (
        Index("idx_users_refresh_token", "refresh_token", postgresql_where=text("refresh_token IS NOT NULL")),
        Index("uq_users_name_key", "name_key", unique=True),
        Index("uq_users_owner", "role", unique=True, postgresql_where=text("role = 'owner'")),
        Index("idx_users_email_folded", text("lower(email)")),
        {"schema": "auth"},
    )

    username: Mapped[str] = mapped_column(unique=True)
    email: Mapped[str] = mapped_column(unique=True)
    password: Mapped[str]
    """argon2id; bcrypt in rows of the originals until their owner signs in."""
    refresh_token: Mapped[str | None] = mapped_column(String(512))
    """The originals' refresh token, or its hash (db/adoption.py): accepted once, then nulled."""
    refresh_token_expiry_date: Mapped[datetime | None]
    time_zone: Mapped[str | None]
    error_workflow_id: Mapped[UUID | None]
    """The workflow that is started for failures of those that name none of their own."""
    language: Mapped[str | None]
    role: Mapped[str] = mapped_column(server_default=text("'member'"))
    """A Role."""
    name_key: Mapped[str | None]
    """What the name has in common with those that differ from it only in case (flowforge.db.name_keys)."""
    credentials_epoch: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    """Counts up whenever everything that proves the account's identity ends."""
    disabled_at: Mapped[datetime | None]
    totp_secret: Mapped[Any] = mapped_column(JSONB(none_as_null=True), nullable=True)
    """Sealed, a JSON text: the secret of one-time passwords."""
    totp_confirmed_at: Mapped[datetime | None]
    """When the second factor was turned on; None: it is off, or its setup is not confirmed."""
    totp_last_step: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    """The time step of the last code that was used: no code counts twice."""
    over_quota: Mapped[str | None]
    """The quota that is used up, so that no work is accepted before `over_quota_until`."""
    over_quota_until: Mapped[datetime | None]
    file_bytes: Mapped[int | None] = mapped_column(BigInteger)
    """Bytes of all its files together; null is 0."""
    table_rows: Mapped[int | None] = mapped_column(BigInteger)
    """Rows of all its data tables together, with the keys that it remembers; null is 0."""
    table_bytes: Mapped[int | None] = mapped_column(BigInteger)
    """Bytes of these; null is 0."""
    theme: Mapped[str | None]
    density: Mapped[str | None]


class Invitation(Base):
    """A link by which somebody may register while registration is closed. Deleted when it is used."""

    __tablename__ = "invitations"
    __table_args__ = (Index("idx_invitations_created", "created_at"), {"schema": "auth"})

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    """SHA-256, as for refresh tokens."""
    email: Mapped[str | None]
    """The address it was sent to; null where the link was handed over otherwise."""
    role: Mapped[str]
    invited_by: Mapped[UUID]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime]


class PasswordReset(Base):
    """A link by which somebody may set a new password. All of an account's are deleted when one is used."""

    __tablename__ = "password_resets"
    __table_args__ = (Index("idx_password_resets_user", "user_id"), {"schema": "auth"})

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("auth.users.id", ondelete="CASCADE"))
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime]


class QuotaRow(Base):
    """Limits of one account, where they differ from those of all: null is the setting, 0 no limit."""

    __tablename__ = "quotas"
    __table_args__ = ({"schema": "auth"},)

    user_id: Mapped[UUID] = mapped_column(ForeignKey("auth.users.id", ondelete="CASCADE"), primary_key=True)
    workflows: Mapped[int | None]
    executions_a_day: Mapped[int | None]
    bytes: Mapped[int | None] = mapped_column(BigInteger)
    mails_a_day: Mapped[int | None]
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())
    file_bytes: Mapped[int | None] = mapped_column(BigInteger)
    table_rows: Mapped[int | None] = mapped_column(BigInteger)
    table_bytes: Mapped[int | None] = mapped_column(BigInteger)


class DailyUsage(Base):
    """Usage of an account on one day, in UTC; counted in the background (flowforge.accounts.usage)."""

    __tablename__ = "daily_usage"
    __table_args__ = (Index("idx_daily_usage_day", "day"), {"schema": "auth"})

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    executions: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    bytes: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    mails: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    """Recipients of mails by the instance's own server, counted when sent (flowforge.db.mail_allowance_store)."""


class UsagePosition(Base):
    """The moment up to which events or executions are counted in `daily_usage`."""

    __tablename__ = "usage_positions"
    __table_args__ = ({"schema": "auth"},)

    name: Mapped[str] = mapped_column(primary_key=True)
    counted_until: Mapped[datetime]


class RecoveryCode(Base):
    """A code that stands in for the second factor, once. Deleted when it is used."""

    __tablename__ = "recovery_codes"
    __table_args__ = ({"schema": "auth"},)

    user_id: Mapped[UUID] = mapped_column(ForeignKey("auth.users.id", ondelete="CASCADE"), primary_key=True)
    code_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)


class RemovedAccount(Base):
    """An account that was deleted, until what its executions left is deleted, too."""

    __tablename__ = "removed_accounts"
    __table_args__ = ({"schema": "auth"},)

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    removed_at: Mapped[datetime] = mapped_column(server_default=func.now())


class RefreshToken(Base):
    """One link of a rotating chain; a `family_id` is one signed-in device."""

    __tablename__ = "refresh_tokens"
    __table_args__ = (
        Index("idx_refresh_tokens_user_id", "user_id"),
        Index("idx_refresh_tokens_family", "family_id"),
        Index("idx_refresh_tokens_ended", "user_id", "revoked_at", postgresql_where=text("revoked_at IS NOT NULL")),
        {"schema": "auth"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    user_id: Mapped[UUID]
    family_id: Mapped[UUID]
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    """SHA-256 of the token: it has 256 random bits, so a slow hash would add nothing."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    user_agent: Mapped[str | None]


class AccessToken(Base):
    """A personal access token: a bearer token for scripts, until it expires or is revoked."""

    __tablename__ = "access_tokens"
    __table_args__ = (Index("idx_access_tokens_user", "user_id", "created_at"), {"schema": "auth"})

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    user_id: Mapped[UUID]
    name: Mapped[str]
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    """SHA-256, as for refresh tokens."""
    start: Mapped[str]
    """Its first characters, so that people know it again."""
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{read,run,write,admin}'"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]


class WebSession(Base):
    """A browser that is signed in to the dashboard. Its cookie counts only while the row is there."""

    __tablename__ = "web_sessions"
    __table_args__ = (Index("idx_web_sessions_user", "user_id", "last_seen_at"), {"schema": "auth"})

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    user_id: Mapped[UUID]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    last_seen_at: Mapped[datetime] = mapped_column(server_default=func.now())
    user_agent: Mapped[str]
    address: Mapped[str]


class AuditEntryRow(Base):
    """An act of somebody. A trigger refuses changes, and deletion but by retention. No foreign keys: it outlives the
    accounts and things it tells of. Ids are made in the order of time, so that they serve as positions and times."""

    __tablename__ = "audit_log"
    __table_args__ = (
        Index("idx_audit_action", "action", "id"),
        Index("idx_audit_account", "account_id", "id"),
        Index("idx_audit_account_action", "account_id", "action", "id"),
        Index("idx_audit_actor", "actor_id", "id"),
        Index("idx_audit_actor_action", "actor_id", "action", "id"),
        Index("idx_audit_time", "occurred_at"),
        {"schema": "auth"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    occurred_at: Mapped[datetime]
    action: Mapped[str]
    actor_id: Mapped[UUID | None]
    actor_name: Mapped[str | None]
    """As it was then."""
    account_id: Mapped[UUID | None]
    """The account that it concerns."""
    account_name: Mapped[str | None]
    subject_id: Mapped[UUID | None]
    subject_name: Mapped[str | None]
    address: Mapped[str | None]
    request_id: Mapped[str | None]
    via: Mapped[str | None]
    details: Mapped[JsonObject]


# -- workflow


class Workflow(ContractRow, OrderedDefinition, Base):
    __tablename__ = "workflows"
    __table_args__ = (
        Index("idx_workflows_user_id", "user_id"),
        Index("uq_workflows_key", "user_id", "key", unique=True, postgresql_where=text("key IS NOT NULL")),
        Index("idx_workflows_folder", "user_id", "folder", postgresql_where=text("folder IS NOT NULL")),
        {"schema": "workflow"},
    )
    ordered = ("trigger_definition", "actions_definition")

    name: Mapped[str]
    user_id: Mapped[UUID]
    enabled: Mapped[bool] = mapped_column(Boolean, server_default=text("true"))
    trigger_definition: Mapped[JsonObject | None]
    actions_definition: Mapped[list[Any] | None]
    version_id: Mapped[UUID | None]
    """The version new executions start with; null in an adopted row that has never run or been saved here."""
    settings: Mapped[JsonObject | None]
    key: Mapped[str | None]
    """The owner's own name for it, the same on every server (flowforge.workflows.workflow_keys)."""
    data_execution_id: Mapped[UUID | None]
    """The execution whose data it is built on; null: those of the latest ones."""
    published: Mapped[bool] = mapped_column(Boolean, default=True, server_default=text("true"))
    """False in a row that was begun as a draft; the release before publishes without setting it."""
    folder: Mapped[str | None]
    """Its path, as in `sales/leads` (flowforge.workflows.folders)."""
    list_field: Mapped[str | None]
    """The path of the field of the payload that lists of executions show, as in `body.order.id`."""

    @hybrid_property
    def is_draft(self) -> bool:
        """Whether it has never been published: its name and its draft are all there is."""
        return not self.published and self.version_id is None

    @is_draft.inplace.expression
    @classmethod
    def _is_draft(cls) -> ColumnElement[bool]:
        return and_(cls.published.is_(False), cls.version_id.is_(None))


class WorkflowVersion(OrderedDefinition, Base):
    """A definition as it was saved; never changed afterwards. Executions keep the one they started with."""

    ordered = ("definition", "pins")

    __tablename__ = "workflow_versions"
    __table_args__ = (
        Index("uq_workflow_versions_number", "workflow_id", "number", unique=True),
        {"schema": "workflow"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    workflow_id: Mapped[UUID]
    number: Mapped[int | None]
    """Null for a draft that was run and never published."""
    definition: Mapped[JsonObject]
    """{name, trigger, actions}, secrets sealed."""
    templated: Mapped[bool]
    """False for a definition taken from the originals: `{{` has no meaning there."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    created_by: Mapped[UUID | None]
    note: Mapped[str | None]
    pins: Mapped[JsonObject | None]
    """Outputs by the ids of the steps that a draft's run did not run."""


class WorkflowDraft(Base):
    """A definition that is being edited: nothing runs it until it is published, unless by hand."""

    __tablename__ = "workflow_drafts"
    __table_args__ = ({"schema": "workflow"},)

    id: Mapped[UUID] = mapped_column(ForeignKey("workflow.workflows.id", ondelete="CASCADE"), primary_key=True)
    """The workflow's."""
    definition: Mapped[Any] = mapped_column(JSONB)
    """Sealed as a whole: in a half-written text, secrets cannot be distinguished from the rest."""
    revision: Mapped[int]
    """Counts the saves: a request that saves names the revision it is based on."""
    base_version_id: Mapped[UUID | None]
    """The version that was published when the draft was begun."""
    meanings: Mapped[int | None]
    """Null where it was written before defaults changed their meaning (flowforge.language.former_meanings)."""
    run_version_id: Mapped[UUID | None]
    """The version that was made of it to run it; null since the draft has changed."""
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_by: Mapped[UUID]
    trigger_type: Mapped[str | None]
    """The type of its trigger, in lower case; null where that is missing or unknown."""
    steps: Mapped[int | None]
    """The number of steps in its own list; null in a draft that was saved before they were counted."""


class PinnedOutput(Base):
    """The output of a step when its workflow is tried out, instead of running it."""

    __tablename__ = "pinned_outputs"
    __table_args__ = ({"schema": "workflow"},)

    workflow_id: Mapped[UUID] = mapped_column(ForeignKey("workflow.workflows.id", ondelete="CASCADE"), primary_key=True)
    step_id: Mapped[str] = mapped_column(primary_key=True)
    output: Mapped[JsonObject]
    output_order: Mapped[list[Any] | None] = mapped_column(JSONB(none_as_null=True))
    of_test: Mapped[bool] = mapped_column(Boolean, default=False, server_default=text("false"))
    """Whether a step test gave it, and nobody pinned it: it is data to build on, and stands for no step."""
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Connection(Base):
    """Credentials and settings that several steps share to reach a service, under a name of its user's."""

    __tablename__ = "connections"
    __table_args__ = (Index("uq_connections_name", "user_id", "name", unique=True), {"schema": "workflow"})

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    user_id: Mapped[UUID]
    name: Mapped[str]
    type: Mapped[str]
    config: Mapped[JsonObject]
    """Its secrets are sealed."""
    tested_at: Mapped[datetime | None]
    problem: Mapped[str | None]
    """The error of its last test; null where that went well."""
    paused_until: Mapped[datetime | None]
    """The end of the pause that its receiver has asked for."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())


class OAuthGrant(Base):
    """The tokens of a connection that somebody has signed in with, and their renewal. Without tokens: they are to be
    asked for, or a sign-in is over."""

    __tablename__ = "oauth_grants"
    __table_args__ = (
        Index(
            "idx_oauth_grants_untold", "broken_at", postgresql_where=text("broken_at IS NOT NULL AND told_at IS NULL")
        ),
        {"schema": "workflow"},
    )

    id: Mapped[UUID] = mapped_column(ForeignKey("workflow.connections.id", ondelete="CASCADE"), primary_key=True)
    """The connection's own."""
    generation: Mapped[int] = mapped_column(Integer)
    """Counts the tokens: an answer to a renewal counts only while these are still those that it renews."""
    tokens: Mapped[str | None]
    """Sealed: flowforge.oauth.tokens.Tokens."""
    ends_at: Mapped[datetime | None]
    renew_at: Mapped[datetime | None]
    scopes: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    """Those that were granted; null where the provider does not say."""
    identity: Mapped[str | None]
    """Whom the tokens belong to."""
    signed_in_at: Mapped[datetime | None]
    renewed_at: Mapped[datetime | None]
    renewing_by: Mapped[str | None]
    renewing_until: Mapped[datetime | None]
    """While this is to come, one process asks for other tokens; when it is over, that process has died."""
    broken_at: Mapped[datetime | None]
    """The time from which on only another sign-in helps; null: it works."""
    problem: Mapped[str | None]
    told_at: Mapped[datetime | None]
    """The time at which its owner was told that it is broken."""


class OAuthSignIn(Base):
    """A sign-in that has begun in a browser. It ends when it comes back, or with its time."""

    __tablename__ = "oauth_sign_ins"
    __table_args__ = (
        Index("idx_oauth_sign_ins_connection", "connection_id"),
        Index("idx_oauth_sign_ins_ends", "ends_at"),
        {"schema": "workflow"},
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    """SHA-256 of the state that the browser carries; of a random text, where a code is entered elsewhere."""
    connection_id: Mapped[UUID] = mapped_column(ForeignKey("workflow.connections.id", ondelete="CASCADE"))
    session_id: Mapped[UUID]
    """The session of the browser in which it began, and alone can end."""
    secret: Mapped[str | None]
    """Sealed: what proves that it is ours, a PKCE verifier or a device code."""
    user_code: Mapped[str | None]
    """The code to be entered at `url`."""
    url: Mapped[str | None]
    complete_url: Mapped[str | None]
    interval: Mapped[int | None] = mapped_column(Integer)
    """Seconds between two questions to the provider."""
    ask_at: Mapped[datetime | None]
    ends_at: Mapped[datetime]


class NamedSecret(Base):
    """A secret that expressions call by its name."""

    __tablename__ = "named_secrets"
    __table_args__ = (Index("uq_named_secrets_name", "user_id", "name", unique=True), {"schema": "workflow"})

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    user_id: Mapped[UUID]
    name: Mapped[str]
    value: Mapped[Any] = mapped_column(JSONB)
    """Sealed, a JSON text."""
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())


class VariableRow(Base):
    """A setting that expressions call by its name; it is no secret."""

    __tablename__ = "variables"
    __table_args__ = ({"schema": "workflow"},)

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str]
    """JSON, in the order of its fields."""
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())


class ApiRow(Base):
    """An API that somebody added by its description, under a name of theirs."""

    __tablename__ = "apis"
    __table_args__ = (Index("uq_apis_name", "user_id", "name", unique=True), {"schema": "workflow"})

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    user_id: Mapped[UUID]
    name: Mapped[str]
    source: Mapped[str]
    """The address or the name of the file, its secrets masked."""
    version_id: Mapped[UUID | None]
    """The version that new steps are built with."""
    actions: Mapped[list[Any]]
    """The operations that are offered as actions, as the list of the version has them."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())


class ApiVersionRow(Base):
    """A file that describes an API; never changed, so that it can be cached by its id."""

    __tablename__ = "api_versions"
    __table_args__ = (Index("uq_api_versions_sha256", "api_id", "sha256", unique=True), {"schema": "workflow"})

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    api_id: Mapped[UUID] = mapped_column(ForeignKey("workflow.apis.id", ondelete="CASCADE"))
    sha256: Mapped[str]
    """The digest of the file as it is kept: as JSON, not compressed."""
    title: Mapped[str]
    number: Mapped[str]
    """The version as the file itself states it."""
    format: Mapped[str]
    address: Mapped[str]
    """The place of the file, from which relative addresses in it start; empty where it was uploaded."""
    size: Mapped[int]
    """Bytes of the file, not compressed."""
    content: Mapped[bytes] = mapped_column(LargeBinary)
    """The file as JSON, compressed (flowforge.db.apis_store)."""
    operations: Mapped[list[Any]]
    """The list of its operations, so that the file need not be read for that."""
    refused: Mapped[list[Any]]
    """The parts that cannot be used, with the reason."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class WorkflowTag(Base):
    """A word by which people find their workflows."""

    __tablename__ = "workflow_tags"
    __table_args__ = (Index("idx_workflow_tags_user", "user_id", "tag"), {"schema": "workflow"})

    workflow_id: Mapped[UUID] = mapped_column(ForeignKey("workflow.workflows.id", ondelete="CASCADE"), primary_key=True)
    tag: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[UUID]


class DeletedWorkflow(Base):
    """A workflow that was deleted a short time ago, with all its rows (flowforge.db.deleted_workflows_store)."""

    __tablename__ = "deleted_workflows"
    __table_args__ = (
        Index("idx_deleted_workflows_user", "user_id", "deleted_at"),
        Index("idx_deleted_workflows_age", "deleted_at"),
        {"schema": "workflow"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID]
    name: Mapped[str]
    deleted_at: Mapped[datetime] = mapped_column(server_default=func.now())
    kept: Mapped[JsonObject]
    """Its rows, as lists of objects, by the names of their tables."""


class SavedFilterRow(Base):
    """A filter of a list that somebody has saved."""

    __tablename__ = "saved_filters"
    __table_args__ = ({"schema": "workflow"},)

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    listed: Mapped[str] = mapped_column(primary_key=True)
    """A flowforge.workflows.saved_filters.Listed."""
    name: Mapped[str] = mapped_column(primary_key=True)
    query: Mapped[str]


class GuideRow(Base):
    """A first workflow that its user is guided through; gone when they are done with it."""

    __tablename__ = "guides"
    __table_args__ = (Index("idx_guides_workflow", "workflow_id"), {"schema": "workflow"})

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    workflow_id: Mapped[UUID] = mapped_column(ForeignKey("workflow.workflows.id", ondelete="CASCADE"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


# -- triggers


class TriggerRegistration(ContractRow, Base):
    __tablename__ = "trigger_registrations"
    __table_args__ = (
        Index("idx_workflow_id", "workflow_id"),
        Index("idx_user_id", "user_id"),
        Index("idx_trigger_type", "trigger_type"),
        Index("idx_webhook_token", "webhook_token"),
        Index(
            "idx_trigger_due",
            "next_scheduled_at",
            postgresql_where=text("enabled AND next_scheduled_at IS NOT NULL"),
        ),
        {"schema": "trigger_service"},
    )

    workflow_id: Mapped[UUID]
    user_id: Mapped[UUID]
    enabled: Mapped[bool] = mapped_column(Boolean, server_default=text("true"))
    trigger_type: Mapped[str]
    configuration: Mapped[JsonObject | None]
    webhook_url: Mapped[str | None] = mapped_column(unique=True)
    webhook_token: Mapped[str | None] = mapped_column(unique=True)
    last_triggered_at: Mapped[datetime | None]
    next_scheduled_at: Mapped[datetime | None]
    """The time at which it is due: a schedule's next time, or a mailbox's next poll."""
    managed: Mapped[bool | None]
    """True where the workflow's own `trigger` made it."""
    last_success_at: Mapped[datetime | None]
    last_error_at: Mapped[datetime | None]
    last_error: Mapped[str | None]


class FormerWebhookToken(Base):
    """A token that a registration had in its address, and that goes on until `ends_at`."""

    __tablename__ = "former_webhook_tokens"
    __table_args__ = (Index("idx_former_webhook_tokens_trigger", "trigger_id"), {"schema": "trigger_service"})

    token: Mapped[str] = mapped_column(primary_key=True)
    trigger_id: Mapped[UUID] = mapped_column(ForeignKey("trigger_service.trigger_registrations.id", ondelete="CASCADE"))
    ends_at: Mapped[datetime]


class MailboxState(Base):
    """Progress in reading a mailbox: every message up to `last_uid` under `uid_validity` is accepted or filtered.

    What was in the mailbox at the first look is its backlog: up to `backlog_uid` only those messages count that arrived
    since `backlog_since` (null: only unseen ones).
    """

    __tablename__ = "mailbox_states"
    __table_args__ = ({"schema": "trigger_service"},)

    trigger_id: Mapped[UUID] = mapped_column(primary_key=True)
    uid_validity: Mapped[int] = mapped_column(BigInteger)
    last_uid: Mapped[int] = mapped_column(BigInteger)
    source: Mapped[str]
    """user@host:port/folder; the uids mean nothing in another mailbox."""
    backlog_uid: Mapped[int] = mapped_column(BigInteger)
    backlog_since: Mapped[datetime | None]
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())


class PollState(Base):
    """How far the polls of a trigger have come (flowforge.triggers.polling.memory)."""

    __tablename__ = "poll_states"
    __table_args__ = ({"schema": "trigger_service"},)

    trigger_id: Mapped[UUID] = mapped_column(
        ForeignKey("trigger_service.trigger_registrations.id", ondelete="CASCADE"), primary_key=True
    )
    round: Mapped[int] = mapped_column(BigInteger)
    """Counts its changes: of two polls at the same time one changes it."""
    source: Mapped[str]
    """A digest of what is asked, and whom."""
    highest: Mapped[Any] = mapped_column(JSONB)
    """The highest value of what only grows; null where nothing does."""
    remembered: Mapped[int] = mapped_column(BigInteger)
    """The number of its items."""
    polled_at: Mapped[datetime | None]
    """The beginning of the last poll that took all there was."""
    kept: Mapped[JsonObject]
    """What the action wants to know of its last poll, such as an ETag."""


class PolledItem(Base):
    """An item that was seen. `key`, `content`: digests."""

    __tablename__ = "polled_items"
    __table_args__ = (Index("idx_polled_items_seen_at", "trigger_id", "seen_at"), {"schema": "trigger_service"})

    trigger_id: Mapped[UUID] = mapped_column(
        ForeignKey("trigger_service.poll_states.trigger_id", ondelete="CASCADE"), primary_key=True
    )
    key: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    content: Mapped[bytes] = mapped_column(LargeBinary)
    seen_at: Mapped[datetime]


class TriggerEventRow(Base):
    """An accepted event: the durable moment. While `handled_at` is null it is redelivered to the orchestrator."""

    __tablename__ = "trigger_events"
    __table_args__ = (
        Index("idx_trigger_events_owed", "created_at", postgresql_where=text("handled_at IS NULL")),
        Index(
            "uq_trigger_events_idempotency",
            "trigger_id",
            "idempotency_key",
            unique=True,
            postgresql_where=text("idempotency_key IS NOT NULL"),
        ),
        Index("idx_trigger_events_created", "created_at"),
        {"schema": "trigger_service"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    trigger_id: Mapped[UUID | None]
    workflow_id: Mapped[UUID]
    user_id: Mapped[UUID]
    trigger_type: Mapped[str]
    payload: Mapped[JsonObject]
    """Empty once an execution has it."""
    payload_order: Mapped[list[Any] | None]
    """The order of its fields (flowforge.field_order), like all columns that are called so."""
    metadata_: Mapped[JsonObject] = mapped_column("metadata")
    idempotency_key: Mapped[str | None]
    execution_id: Mapped[UUID | None]
    """Chosen in advance for a manual start, so that the caller learns it."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    handled_at: Mapped[datetime | None]
    dropped_because: Mapped[str | None]
    """The reason why it led to no execution: the workflow is gone or disabled."""
    awaited_by: Mapped[JsonObject | None]
    """{executionId, stepIndex, iteration, depth} of the step that called the workflow, or {caller}: how the caller of
    a webhook is answered."""
    replay: Mapped[JsonObject | None]
    """{executionId, fromStep, versionId}: what is done again, from where, and by which version; of a draft that is
    run, only the versionId."""
    response: Mapped[JsonObject | None]
    """{status, headers, body}: the answer a RESPOND step gave."""
    response_order: Mapped[list[Any] | None]


# -- executions


class ExecutionRow(ContractRow, Base):
    __tablename__ = "workflow_executions"
    __table_args__ = (
        Index("idx_executions_workflow_id", "workflow_id"),
        Index("idx_executions_user_id", "user_id"),
        Index("idx_executions_user_created", "user_id", text("created_at DESC"), text("id DESC")),
        Index("idx_executions_workflow_created", "workflow_id", text("created_at DESC"), text("id DESC")),
        Index("uq_executions_event", "event_id", unique=True),
        Index("idx_executions_finished", "finished_at", postgresql_where=text("finished_at IS NOT NULL")),
        Index(
            "idx_executions_open",
            "user_id",
            text("created_at DESC"),
            text("id DESC"),
            postgresql_where=text("status IN ('PENDING', 'RUNNING')"),
        ),
        Index(
            "idx_executions_user_troubled",
            "user_id",
            "status",
            text("created_at DESC"),
            text("id DESC"),
            postgresql_where=text("status IN ('FAILED', 'CANCELLED')"),
        ),
        Index(
            "idx_executions_workflow_troubled",
            "workflow_id",
            "status",
            text("created_at DESC"),
            text("id DESC"),
            postgresql_where=text("status IN ('FAILED', 'CANCELLED')"),
        ),
        Index(
            "idx_executions_user_finished",
            "user_id",
            "finished_at",
            "status",
            postgresql_where=text("finished_at IS NOT NULL"),
        ),
        Index("idx_executions_parent", "parent_execution_id", postgresql_where=text("parent_execution_id IS NOT NULL")),
        Index("idx_executions_replay", "replay_of", postgresql_where=text("replay_of IS NOT NULL")),
        Index(
            "idx_executions_deadline",
            "deadline",
            postgresql_where=text("deadline IS NOT NULL AND finished_at IS NULL"),
        ),
        Index(
            "idx_executions_placed",
            "concurrency_key",
            postgresql_where=text(
                "concurrency_key IS NOT NULL AND status IN ('PENDING', 'RUNNING')"
                " AND begin_at IS DISTINCT FROM '9999-01-01 00:00:00+00'::timestamptz"
            ),
        ),
        Index(
            "idx_executions_placeless",
            "concurrency_key",
            "created_at",
            "id",
            postgresql_where=text("begin_at = '9999-01-01 00:00:00+00'::timestamptz"),
        ),
        Index(
            "idx_executions_turnless",
            "workflow_id",
            "created_at",
            "id",
            postgresql_where=text("begin_at < '9999-01-01 00:00:00+00'::timestamptz"),
        ),
        {"schema": "orchestrator"},
    )

    workflow_id: Mapped[UUID]
    user_id: Mapped[UUID]
    status: Mapped[str]
    current_step: Mapped[int]
    trigger_payload: Mapped[JsonObject | None]
    payload_order: Mapped[list[Any] | None]
    step_outputs: Mapped[JsonObject | None]
    outputs_order: Mapped[JsonObject | None]
    """The orders of outputs, by the keys that these have."""
    event_id: Mapped[UUID | None]
    version_id: Mapped[UUID | None]
    trigger_id: Mapped[UUID | None]
    trigger_type: Mapped[str | None]
    error: Mapped[JsonObject | None]
    """{step, stepIndex, message, attempt} of what ended a FAILED execution."""
    finished_at: Mapped[datetime | None]
    in_block: Mapped[bool | None]
    """True while the step due in the workflow's own list is a block whose frames run."""
    next_frame: Mapped[int | None]
    result: Mapped[JsonObject | None]
    """{value}: what a workflow that called it gets."""
    result_order: Mapped[list[Any] | None]
    awaited_by: Mapped[JsonObject | None]
    """The value that its event has."""
    parent_execution_id: Mapped[UUID | None]
    replay_of: Mapped[UUID | None]
    deadline: Mapped[datetime | None]
    """The time at which it fails for taking too long."""
    begin_at: Mapped[datetime | None]
    """While PENDING, held back by a limit of its workflow: held_executions_store.NO_SLOT or, where it lacks only a rate
    permit, the earliest time at which it may have one."""
    concurrency_key: Mapped[str | None]


class StepAttempt(Base):
    """One try of one step. The key is what makes every consumer idempotent."""

    __tablename__ = "step_attempts"
    __table_args__ = (
        Index("idx_attempts_waiting", "due_at", postgresql_where=text("state = 'QUEUED' AND sent_at IS NULL")),
        Index("idx_attempts_sent", "sent_at", postgresql_where=text("state = 'QUEUED' AND NOT parked")),
        Index("idx_attempts_parked", "workflow_id", "due_at", postgresql_where=text("state = 'QUEUED' AND parked")),
        Index("idx_attempts_leased", "lease_until", postgresql_where=text("state = 'RUNNING'")),
        Index("idx_attempts_unapplied", "finished_at", postgresql_where=text("state = 'ENDED'")),
        Index("idx_attempts_resting", "due_at", postgresql_where=text("state = 'WAITING'")),
        Index(
            "idx_attempts_connection",
            text("(waiting->>'connection')"),
            postgresql_where=text("state = 'WAITING' AND waiting->>'connection' IS NOT NULL"),
        ),
        Index(
            "idx_attempts_late",
            "workflow_id",
            "started_at",
            postgresql_where=text(
                "rate_limited AND (started_at IS NULL OR started_at - due_at > interval '0.1 seconds')"
            ),
        ),
        {"schema": "orchestrator"},
    )

    execution_id: Mapped[UUID] = mapped_column(
        ForeignKey("orchestrator.workflow_executions.id", ondelete="CASCADE"), primary_key=True
    )
    step_index: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    iteration: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    attempt: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    workflow_id: Mapped[UUID]
    state: Mapped[str]
    due_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    """The time at which its execution.start was last published; null while a retry waits for its time."""
    parked: Mapped[bool] = mapped_column(server_default=text("false"))
    """An executor had no room for it: executors take it from here, without a message."""
    claims: Mapped[int] = mapped_column(server_default=text("0"))
    """Number of times that its call has begun: more than once means that an executor died in it."""
    leases_lost: Mapped[int | None]
    """Number of executors that have died with it, in its call or before; null: none."""
    repeats: Mapped[int | None]
    """The earlier attempt whose call it makes again, under the same Idempotency-Key, since nobody knows whether that
    was done. Null: it makes a call of its own."""
    pauses: Mapped[int | None]
    """Attempts before it that only met a receiver who asked for a pause; null: none."""
    rate_limited: Mapped[bool | None]
    """Whether it is the first of an execution that began by a rate permit."""
    fails_after_crash: Mapped[bool | None]
    """Whether it has failed where its executor died in the call; null and false: its call is made again."""
    lease_owner: Mapped[str | None]
    lease_until: Mapped[datetime | None]
    lapsed_at: Mapped[datetime | None]
    """The time at which upkeep saw that the lease had run out; its owner may extend it for a moment more."""
    succeeded: Mapped[bool | None]
    output: Mapped[JsonObject | None]
    output_order: Mapped[list[Any] | None]
    error: Mapped[JsonObject | None]
    """{message, permanent, retryAfter, answered, final}"""
    started_at: Mapped[datetime | None]
    """The time at which its call, or its wait, began; null while it only waits in an executor."""
    finished_at: Mapped[datetime | None]
    waiting: Mapped[JsonObject | None]
    """{kind, failsWhenDue, message} of a wait."""


class StepPart(Base):
    """A part of a step's work that is done (flowforge.db.parts_store)."""

    __tablename__ = "step_parts"
    __table_args__ = ({"schema": "orchestrator"},)

    execution_id: Mapped[UUID] = mapped_column(
        ForeignKey("orchestrator.workflow_executions.id", ondelete="CASCADE"), primary_key=True
    )
    step_index: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    iteration: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    items: Mapped[str]
    """A list, as JSON."""
    next: Mapped[str | None]
    """Where it goes on, sealed; null: nowhere."""
    complete: Mapped[bool]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class BusMemory(Base):
    """The mark that the bus carried when it was last seen: an emptied bus has lost it."""

    __tablename__ = "bus_memory"
    __table_args__ = ({"schema": "orchestrator"},)

    name: Mapped[str] = mapped_column(primary_key=True)
    epoch: Mapped[str]
    seen_at: Mapped[datetime]


class LogRepairPosition(Base):
    """The last ended execution up to which the log is known to be whole (flowforge.db.log_repair_store)."""

    __tablename__ = "log_repair_positions"
    __table_args__ = ({"schema": "orchestrator"},)

    name: Mapped[str] = mapped_column(primary_key=True)
    finished_at: Mapped[datetime]
    execution_id: Mapped[UUID]


class LogGap(Base):
    """The time whose log may lack lines, because the bus was emptied; how far they are written since."""

    __tablename__ = "log_gaps"
    __table_args__ = ({"schema": "orchestrator"},)

    name: Mapped[str] = mapped_column(primary_key=True)
    written_to: Mapped[datetime]
    written_to_event: Mapped[UUID]
    ends_at: Mapped[datetime]


class DiskSampleRow(Base):
    """Room on the disk of the database at a moment."""

    __tablename__ = "disk_samples"
    __table_args__ = ({"schema": "orchestrator"},)

    taken_at: Mapped[datetime] = mapped_column(primary_key=True)
    free_bytes: Mapped[int] = mapped_column(BigInteger)


class Adoption(Base):
    """Time at which executions of the originals were adopted; no row where there were none."""

    __tablename__ = "adoption"
    __table_args__ = ({"schema": "orchestrator"},)

    name: Mapped[str] = mapped_column(primary_key=True)
    adopted_at: Mapped[datetime]


class RatePermitsRow(Base):
    """The rate permits of a workflow that were taken."""

    __tablename__ = "rate_turns"
    __table_args__ = (
        Index("idx_rate_turns_awaited", "taken_until", postgresql_where=text("awaited")),
        {"schema": "orchestrator"},
    )

    workflow_id: Mapped[UUID] = mapped_column(primary_key=True)
    taken_until: Mapped[datetime]
    """The time at which the next permit is free."""
    begun: Mapped[Any] = mapped_column(JSONB, server_default=text("'[]'"))
    """[[when, how many], ...] of the executions that began last (flowforge.engine.rate_window)."""
    awaited: Mapped[bool] = mapped_column(server_default=text("false"))
    """Whether executions wait for a permit."""


class OpenBlockRow(Base):
    """A block, and how far its frames are (flowforge.execution.state.OpenBlock)."""

    __tablename__ = "open_blocks"
    __table_args__ = ({"schema": "orchestrator"},)

    execution_id: Mapped[UUID] = mapped_column(
        ForeignKey("orchestrator.workflow_executions.id", ondelete="CASCADE"), primary_key=True
    )
    frame: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    step_index: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    first_frame: Mapped[int]
    total: Mapped[int]
    at_once: Mapped[int]
    begun: Mapped[int]
    ended: Mapped[int]
    failed: Mapped[int]
    failed_position: Mapped[int | None]
    error: Mapped[JsonObject | None]
    closure: Mapped[JsonObject]
    closure_order: Mapped[list[Any] | None]
    memory_order: Mapped[list[Any] | None]
    memory: Mapped[JsonObject | None]


class FrameRow(Base):
    """One run of the steps inside a block (flowforge.execution.state.Frame); item and result may be any JSON."""

    __tablename__ = "step_frames"
    __table_args__ = ({"schema": "orchestrator"},)

    execution_id: Mapped[UUID] = mapped_column(
        ForeignKey("orchestrator.workflow_executions.id", ondelete="CASCADE"), primary_key=True
    )
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    block_frame: Mapped[int]
    block_step: Mapped[int]
    position: Mapped[int]
    status: Mapped[str]
    current_step: Mapped[int]
    item: Mapped[JsonObject | None]
    item_order: Mapped[list[Any] | None]
    outputs: Mapped[JsonObject]
    outputs_order: Mapped[JsonObject | None]
    """The orders of outputs, by the keys that these have."""
    result: Mapped[JsonObject | None]
    result_order: Mapped[list[Any] | None]
    error: Mapped[JsonObject | None]


class DeadLetter(Base):
    """A message nobody could read, with the reason; the partition went on without it."""

    __tablename__ = "dead_letters"
    __table_args__ = (
        Index("idx_dead_letters_created", "created_at"),
        Index("uq_dead_letters_position", "topic", "consumer_group", "position", unique=True),
        Index("idx_dead_letters_user", "user_id", text("created_at DESC"), text("id DESC")),
        {"schema": "orchestrator"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    topic: Mapped[str]
    consumer_group: Mapped[str]
    position: Mapped[str]
    key: Mapped[str]
    value: Mapped[bytes] = mapped_column(LargeBinary)
    reason: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    user_id: Mapped[UUID | None]
    """The user the message names; null where it names none."""


class ExecutionHour(Base):
    """The executions that ended in one hour that is over; counted at the first look, and kept after the executions."""

    __tablename__ = "execution_hours"
    __table_args__ = ({"schema": "orchestrator"},)

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    hour: Mapped[datetime] = mapped_column(primary_key=True)
    completed: Mapped[int]
    failed: Mapped[int]
    cancelled: Mapped[int]


# -- files


class FileContentRow(Base):
    """A content in the store of files, once for all files that have it."""

    __tablename__ = "contents"
    __table_args__ = ({"schema": "files"},)

    sha256: Mapped[str] = mapped_column(primary_key=True)
    object_key: Mapped[UUID]
    """Its name in the store."""
    files: Mapped[int]
    """How many files have it."""


class FileRow(Base):
    """A file of an account."""

    __tablename__ = "files"
    __table_args__ = (Index("idx_files_user", "user_id"), {"schema": "files"})

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID]
    name: Mapped[str]
    type: Mapped[str]
    size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(ForeignKey("files.contents.sha256"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class FileUseRow(Base):
    """An event or an execution whose data name a file: its steps may read it, and as long as it is kept, so is the
    file."""

    __tablename__ = "uses"
    __table_args__ = (
        Index("idx_uses_file", "file_id"),
        Index("idx_uses_since", "since"),
        {"schema": "files"},
    )

    holder_id: Mapped[UUID] = mapped_column(primary_key=True)
    """The id of the event, or of the execution."""
    file_id: Mapped[UUID] = mapped_column(ForeignKey("files.files.id"), primary_key=True)
    since: Mapped[datetime] = mapped_column(server_default=func.now())


class UnreferencedObject(Base):
    """An object in the store that is being written, or that no content refers to any more."""

    __tablename__ = "unreferenced"
    __table_args__ = (Index("idx_unreferenced_since", "since"), {"schema": "files"})

    object_key: Mapped[UUID] = mapped_column(primary_key=True)
    since: Mapped[datetime] = mapped_column(server_default=func.now())


# -- data tables


class DataTableRow(Base):
    """A table that lasts between executions."""

    __tablename__ = "tables"
    __table_args__ = (
        Index("uq_tables_name", "user_id", "name", unique=True, postgresql_where=text("deleted_at IS NULL")),
        {"schema": "data_tables"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    user_id: Mapped[UUID]
    name: Mapped[str]
    columns: Mapped[list[Any]]
    """Their ids, names and types, in order (flowforge.data_tables.columns)."""
    key_column: Mapped[str | None]
    """The id of the column by whose value rows are known."""
    expire_after: Mapped[int | None] = mapped_column(Integer)
    """Days after which new rows expire."""
    row_count: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    """Of rows that are stored, also of those that have expired and are not deleted yet."""
    bytes: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())
    """When its columns were changed last."""
    deleted_at: Mapped[datetime | None]
    """Its rows are deleted in the background, and then it is, too."""


class DataRow(Base):
    """A row of a data table."""

    __tablename__ = "rows"
    __table_args__ = (
        Index("uq_rows_key", "table_id", "key", unique=True),
        Index("idx_rows_data", "data", postgresql_using="gin", postgresql_ops={"data": "jsonb_path_ops"}),
        Index("idx_rows_expires_at", "expires_at", postgresql_where=text("expires_at IS NOT NULL")),
        {"schema": "data_tables"},
    )

    table_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    key: Mapped[str | None]
    """The text by which it is known, where the table has a key column."""
    data: Mapped[JsonObject]
    """Its values by the ids of their columns."""
    size: Mapped[int] = mapped_column(Integer, Computed("octet_length(data::text)", persisted=True))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime | None]


class DataWriteRow(Base):
    """The answer to a step that changed a table, so that it changes nothing when it is run again."""

    __tablename__ = "writes"
    __table_args__ = (Index("idx_writes_created_at", "created_at"), {"schema": "data_tables"})

    execution_id: Mapped[UUID] = mapped_column(primary_key=True)
    call: Mapped[str] = mapped_column(primary_key=True)
    """Its Idempotency-Key."""
    answer: Mapped[str]
    """JSON."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class RememberedKey(Base):
    """A key that was seen (flowforge.db.remembered_store)."""

    __tablename__ = "remembered"
    __table_args__ = (Index("idx_remembered_expires_at", "expires_at"), {"schema": "data_tables"})

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    scope: Mapped[UUID] = mapped_column(primary_key=True)
    """The workflow, or the account."""
    digest: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    """SHA-256 of the key."""
    call: Mapped[str]
    """The step that saw it first."""
    since: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime]


# -- logbook


class LogEntryRow(Base):
    """The log where no MongoDB is configured: the documents of contract.md, section 5, as rows."""

    __tablename__ = "execution_logs"
    __table_args__ = (
        Index("idx_logs_user", "user_id", "timestamp"),
        Index("idx_logs_execution", "execution_id", "timestamp"),
        Index("idx_logs_workflow", "workflow_id", "timestamp"),
        Index("idx_logs_time", "timestamp"),
        {"schema": "logbook"},
    )
    __mapper_args__ = {"primary_key": ["dedup_key"]}  # noqa: RUF012  (SQLAlchemy declares it so)

    id: Mapped[str] = mapped_column(String(24))
    dedup_key: Mapped[str] = mapped_column(unique=True)
    user_id: Mapped[UUID]
    workflow_id: Mapped[UUID | None]
    execution_id: Mapped[UUID | None]
    event_id: Mapped[UUID | None]
    event_type: Mapped[str]
    status: Mapped[str]
    data: Mapped[JsonObject | None]
    """The data of long lines, and of those that an earlier release has written."""
    packed: Mapped[bytes | None]
    """The data of all others (flowforge.logbook.packed_data)."""
    timestamp: Mapped[datetime]
    repeated_ids: Mapped[int | None] = mapped_column(SmallInteger)
    """The ids that the data held as well (flowforge.logbook.repeated_ids)."""
