"""Accounts on the wire as their administrators see them, and invitations."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from webapp.api.paging import LARGEST_INTEGER, LenientPage, SearchQuery
from webapp.query_params import Flag, Query, UuidOrNone
from webapp.wire import Wire

_LARGEST_BIGINT = 2**63 - 1


class AccountsQuery(SearchQuery):
    search: str = Field("", max_length=254, description="What names or e-mail addresses begin with.")
    page: LenientPage = 0


class DeletionQuery(Query):
    hand_over_to: UuidOrNone = Field(
        None, description="The account that gets the workflows, triggers, connections and secrets."
    )
    everything: Flag = Field(False, description="Delete these, too.")


class Belongings(Wire):
    workflows: int
    triggers: int
    connections: int
    secrets: int


class DeletedAccount(Wire):
    username: str
    handed_over_to: str | None = Field(description="The name of the account that has them now; null: they are deleted.")
    belongings: Belongings
    cancelled: int = Field(description="Executions that were under way, and were cancelled.")


class Usage(Wire):
    workflows: int
    executions_today: int = Field(description="Accepted since 00:00 UTC, as far as they are counted.")
    executions_last_week: int = Field(description="On the seven days before today.")
    bytes: int = Field(description="Taken by payloads and outputs that are still kept.")
    file_bytes: int = Field(description="Taken by files.")
    table_rows: int = Field(description="Of all tables, with the keys that are remembered.")
    table_bytes: int = Field(description="Taken by these.")


class Quotas(Wire):
    """Quotas that count for an account; 0: any number."""

    workflows: int
    executions_a_day: int
    bytes: int
    mails_a_day: int
    file_bytes: int
    table_rows: int
    table_bytes: int


class OwnQuotas(Wire):
    """Quotas of one account; null: as the settings say, 0: any number."""

    workflows: int | None = Field(None, ge=0, le=LARGEST_INTEGER)
    executions_a_day: int | None = Field(None, ge=0, le=LARGEST_INTEGER)
    bytes: int | None = Field(None, ge=0, le=_LARGEST_BIGINT)
    mails_a_day: int | None = Field(None, ge=0, le=LARGEST_INTEGER)
    file_bytes: int | None = Field(None, ge=0, le=_LARGEST_BIGINT)
    table_rows: int | None = Field(None, ge=0, le=_LARGEST_BIGINT)
    table_bytes: int | None = Field(None, ge=0, le=_LARGEST_BIGINT)


class Account(Wire):
    id: UUID
    username: str
    email: str
    role: Literal["owner", "admin", "member"]
    created_at: datetime
    disabled_at: datetime | None
    needs_exact_spelling: bool = Field(
        description="The name differs only in case from that of an older account: it signs in exactly as it is spelled."
    )
    usage: Usage
    quotas: Quotas
    own_quotas: OwnQuotas
    has_second_factor: bool


_CONFIRMATION = "The caller's own, for an administrator, unless they signed in within the last minute."


class RoleChange(Wire):
    role: Literal["admin", "member"]
    password: str | None = Field(None, description=_CONFIRMATION)


class SecondFactorRemoval(Wire):
    password: str | None = Field(None, description="The caller's own, unless they signed in within the last minute.")


class RemovedSecondFactor(Wire):
    mail_problem: str | None = Field(description="Why no mail told whose it was, where this server sends mail.")


class Link(Wire):
    url: str
    expires_at: datetime


class InvitationRequest(Wire):
    email: Annotated[str, Field(max_length=254)] | None = Field(None, description="Where a mail with the link is sent.")
    role: Literal["admin", "member"] = "member"
    password: str | None = Field(None, description=_CONFIRMATION)


class Invitation(Wire):
    id: UUID
    email: str | None
    role: Literal["admin", "member"]
    created_at: datetime
    expires_at: datetime


class NewInvitation(Invitation):
    url: str = Field(description="It is not shown again.")
    mailed: bool
    mail_problem: str | None = Field(description="Why no mail was sent, where one was wanted.")
