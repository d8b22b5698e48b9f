"""/api/v1/admin: the accounts of the instance, for its administrators."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from flask import Blueprint

from flowforge.accounts import (
    administration,
    deletion,
    invitations,
    inviting,
    links,
    overview,
    password_resets,
    quotas,
    removed_second_factor,
)
from flowforge.accounts.deletion import DeletedAccount
from flowforge.accounts.invitations import InvitationView
from flowforge.accounts.inviting import InvitationLink
from flowforge.accounts.overview import AccountOverview
from flowforge.accounts.quotas import Quotas
from flowforge.accounts.roles import ADMINISTRATORS, Role
from flowforge.accounts.scopes import Scope
from flowforge.errors import Invalid
from flowforge.sentences import sentence
from flowforge.views import view_of
from webapp.api import administration_schemas as schemas
from webapp.api.confirmation import confirm_password, require_person
from webapp.attempts import counts_as_attempt
from webapp.caching import never_store
from webapp.context import backends, session
from webapp.endpoint import DELETED, Tag, created, endpoint
from webapp.identity import current_user_id

blueprint = Blueprint("administration", __name__, url_prefix="/api/v1/admin")
blueprint.after_request(never_store)


@dataclass(frozen=True, slots=True)
class Link:
    url: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class RemovedSecondFactor:
    mail_problem: str | None


@blueprint.before_request
def _require_administrator() -> None:
    administration.require_administrator(session(), current_user_id())


@blueprint.get("/accounts")
@endpoint(Tag.ADMINISTRATION, [schemas.Account], query=schemas.AccountsQuery, refuses=(403,), scope=Scope.ADMIN)
def list_accounts(query: schemas.AccountsQuery) -> Sequence[AccountOverview]:
    """List accounts by name, each with what it uses and may use"""
    settings = backends().settings
    return overview.list_overviews(session(), settings, query.search, page=query.page, size=query.size)


@blueprint.get("/accounts/<uuid:account_id>")
@endpoint(Tag.ADMINISTRATION, schemas.Account, refuses=(403,), scope=Scope.ADMIN)
def show_account(account_id: UUID) -> AccountOverview:
    """Get an account, with what it uses and may use"""
    return _shown(account_id)


@blueprint.post("/accounts/<uuid:account_id>/disable")
@endpoint(Tag.ADMINISTRATION, schemas.Account, refuses=(403,), scope=Scope.ADMIN)
def disable(account_id: UUID) -> AccountOverview:
    """End whatever an account is signed in with, and stop its triggers"""
    _require_power_over(account_id)
    administration.disable(session(), account_id)
    return _shown(account_id)


@blueprint.post("/accounts/<uuid:account_id>/enable")
@endpoint(Tag.ADMINISTRATION, schemas.Account, refuses=(403,), scope=Scope.ADMIN)
def enable(account_id: UUID) -> AccountOverview:
    """Let an account sign in again, and its triggers start workflows"""
    _require_power_over(account_id)
    administration.enable(session(), account_id)
    return _shown(account_id)


@blueprint.put("/accounts/<uuid:account_id>/role")
@counts_as_attempt
@endpoint(Tag.ADMINISTRATION, schemas.Account, takes=schemas.RoleChange, refuses=(403, 409, 429), scope=Scope.ADMIN)
def change_role(account_id: UUID, body: schemas.RoleChange) -> AccountOverview:
    """Make an account an administrator, or a member again; only the owner may. An administrator is made as a token is:
    not with a personal access token, and with the password"""
    administration.require_owner(session(), current_user_id())
    if Role(body.role) is Role.ADMIN:
        confirm_password(body.password)
        administration.make_administrator(session(), account_id)
    else:
        administration.make_member(session(), account_id)
    return _shown(account_id)


@blueprint.put("/accounts/<uuid:account_id>/quotas")
@endpoint(Tag.ADMINISTRATION, schemas.Account, takes=schemas.OwnQuotas, refuses=(403,), scope=Scope.ADMIN)
def change_quotas(account_id: UUID, body: schemas.OwnQuotas) -> AccountOverview:
    """Set what one account may use, in place of what the settings say"""
    _require_power_over(account_id)
    quotas.set_own(session(), account_id, view_of(Quotas, body))
    return _shown(account_id)


@blueprint.delete("/accounts/<uuid:account_id>")
@endpoint(
    Tag.ADMINISTRATION,
    schemas.DeletedAccount,
    query=schemas.DeletionQuery,
    refuses=(403, 409),
    scope=Scope.ADMIN,
)
def delete_account(account_id: UUID, query: schemas.DeletionQuery) -> DeletedAccount:
    """Delete an account, and hand what it has over to another one or delete that, too; its executions are deleted"""
    _require_power_over(account_id)
    if query.hand_over_to is None and not query.everything:
        raise Invalid.at(
            "/handOverTo", sentence("is required, unless everything=true: what the account has is deleted then")
        )
    return deletion.delete(session(), backends(), account_id, query.hand_over_to)


@blueprint.post("/accounts/<uuid:account_id>/password-reset")
@endpoint(Tag.ADMINISTRATION, created(schemas.Link), refuses=(403,), scope=Scope.ADMIN)
def reset_password(account_id: UUID) -> Link:
    """Make a link by which an account's password is set anew, once; only this answer shows it. That of an administrator
    is not made with a personal access token"""
    administration.require_power_over_password(session(), current_user_id(), account_id)
    if administration.find(session(), account_id).role in ADMINISTRATORS:
        require_person()
    token = password_resets.begin(session(), account_id)
    return Link(links.password_reset(backends().settings, token), datetime.now(UTC) + password_resets.LIFETIME)


@blueprint.post("/accounts/<uuid:account_id>/second-factor/remove")
@counts_as_attempt
@endpoint(
    Tag.ADMINISTRATION,
    schemas.RemovedSecondFactor,
    takes=schemas.SecondFactorRemoval,
    refuses=(403, 409, 429),
    scope=Scope.ADMIN,
)
def remove_second_factor(account_id: UUID, body: schemas.SecondFactorRemoval) -> RemovedSecondFactor:
    """Remove another's second factor: the password alone signs them in then, and a mail says so. It is removed as a
    token is made: not with a personal access token, and with the caller's password"""
    administration.require_power_over_password(session(), current_user_id(), account_id)
    confirm_password(body.password)
    return RemovedSecondFactor(removed_second_factor.remove(session(), backends(), account_id))


@blueprint.get("/invitations")
@endpoint(Tag.ADMINISTRATION, [schemas.Invitation], refuses=(403,), scope=Scope.ADMIN)
def list_invitations() -> Sequence[InvitationView]:
    """List the invitations that can still be used, the newest first"""
    return invitations.list_pending(session())


@blueprint.post("/invitations")
@counts_as_attempt
@endpoint(
    Tag.ADMINISTRATION,
    created(schemas.NewInvitation),
    takes=schemas.InvitationRequest,
    refuses=(403, 429),
    scope=Scope.ADMIN,
)
def invite(body: schemas.InvitationRequest) -> InvitationLink:
    """Make a link by which somebody registers, once; only this answer shows it. With an e-mail address it is sent. An
    administrator is invited as a token is made: not with a personal access token, and with the password"""
    if Role(body.role) is Role.ADMIN:
        administration.require_owner(session(), current_user_id())
        confirm_password(body.password)
    return inviting.invite(session(), backends(), current_user_id(), body.email, Role(body.role))


@blueprint.delete("/invitations/<uuid:invitation_id>")
@endpoint(Tag.ADMINISTRATION, DELETED, refuses=(403,), scope=Scope.ADMIN)
def withdraw_invitation(invitation_id: UUID) -> None:
    """Withdraw an invitation"""
    invitations.withdraw(session(), invitation_id)


def _require_power_over(account_id: UUID) -> None:
    administration.require_power_over(session(), current_user_id(), account_id)


def _shown(account_id: UUID) -> AccountOverview:
    return overview.find_overview(session(), backends().settings, account_id)
