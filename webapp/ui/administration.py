"""Administration, Accounts: who there is, what each uses and may use, invitations."""

from __future__ import annotations

from dataclasses import fields
from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from pydantic.alias_generators import to_camel

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
from flowforge.accounts.quotas import Quotas
from flowforge.accounts.roles import Role
from flowforge.errors import Conflict, Invalid, NotFound, Problem
from flowforge.sentences import message_of, sentence
from webapp.attempts import counts_as_attempt
from webapp.context import backends, session
from webapp.translation.texts import gettext, lazy
from webapp.ui.base import blueprint, requested_page
from webapp.ui.confirmation import confirm_password
from webapp.ui.guard import viewer_id
from webapp.ui.problems import by_field

PAGE_SIZE = 50
_LONGEST_NUMBER = 1_000
_QUOTAS = [field.name for field in fields(Quotas)]


_ROLES = {"owner": lazy("Owner"), "admin": lazy("Administrator"), "member": lazy("Member")}


@blueprint.app_template_filter()
def role_name(role: str) -> str:
    return str(_ROLES[role])


@blueprint.get("/administration/accounts")
def managed_accounts() -> str:
    _require_administrator()
    return _accounts_page()


@blueprint.post("/administration/accounts/invitations")
@counts_as_attempt
def invite() -> Any:
    """The answer itself shows the link: nothing could show it after a redirect."""
    _require_administrator()
    email = request.form.get("email", "").strip() or None
    role = Role.ADMIN if request.form.get("role") == Role.ADMIN else Role.MEMBER
    try:
        if role is Role.ADMIN:
            administration.require_owner(session(), viewer_id())
            confirm_password()
        made = inviting.invite(session(), backends(), viewer_id(), email, role)
    except Invalid as error:
        return _accounts_page(problems=error.problems), 400
    return _accounts_page(invitation=made)


@blueprint.post("/administration/accounts/invitations/<uuid:invitation_id>/withdraw")
def withdraw_invitation(invitation_id: UUID) -> Any:
    _require_administrator()
    invitations.withdraw(session(), invitation_id)
    flash(gettext("Invitation withdrawn."), "done")
    return redirect(url_for("ui.managed_accounts"), 303)


@blueprint.get("/administration/accounts/<uuid:account_id>")
def managed_account(account_id: UUID) -> str:
    _require_administrator()
    return _account_page(account_id)


@blueprint.post("/administration/accounts/<uuid:account_id>/quotas")
def save_quotas(account_id: UUID) -> Any:
    _require_power_over(account_id)
    try:
        quotas.set_own(session(), account_id, _entered_quotas())
    except Invalid as error:
        session().rollback()
        return _account_page(account_id, problems=error.problems), 400
    return _done(account_id, gettext("Saved. Takes effect within a few seconds."))


@blueprint.post("/administration/accounts/<uuid:account_id>/disable")
def disable_account(account_id: UUID) -> Any:
    _require_power_over(account_id)
    administration.disable(session(), account_id)
    return _done(account_id, gettext("Account disabled: it is signed out everywhere, and its triggers start nothing."))


@blueprint.post("/administration/accounts/<uuid:account_id>/enable")
def enable_account(account_id: UUID) -> Any:
    """Where its password was a published one, the answer itself shows the link for another."""
    _require_power_over(account_id)
    was_published = administration.find(session(), account_id).has_published_password
    administration.enable(session(), account_id)
    if was_published:
        return reset_password_of(account_id)
    return _done(account_id, gettext("Account enabled."))


@blueprint.post("/administration/accounts/<uuid:account_id>/make-administrator")
@counts_as_attempt
def make_administrator(account_id: UUID) -> Any:
    administration.require_owner(session(), viewer_id())
    try:
        confirm_password()
    except Invalid as error:
        return _account_page(account_id, problems=error.problems), 400
    administration.make_administrator(session(), account_id)
    return _done(account_id, gettext("The account is an administrator now."))


@blueprint.post("/administration/accounts/<uuid:account_id>/make-member")
def make_member(account_id: UUID) -> Any:
    administration.require_owner(session(), viewer_id())
    administration.make_member(session(), account_id)
    return _done(account_id, gettext("The account is a member now."))


@blueprint.post("/administration/accounts/<uuid:account_id>/second-factor/remove")
@counts_as_attempt
def remove_second_factor_of(account_id: UUID) -> Any:
    administration.require_power_over_password(session(), viewer_id(), account_id)
    try:
        confirm_password()
    except Invalid as error:
        return _account_page(account_id, problems=error.problems), 400
    mail_problem = removed_second_factor.remove(session(), backends(), account_id)
    done = gettext("Two-factor authentication disabled: the password alone is enough to sign in.")
    unsent = (
        gettext("The account was not notified by e-mail: %(problem)s.", problem=mail_problem) if mail_problem else ""
    )
    return _done(account_id, f"{done} {unsent}".strip())


@blueprint.post("/administration/accounts/<uuid:account_id>/delete")
def delete_account(account_id: UUID) -> Any:
    _require_power_over(account_id)
    try:
        done = deletion.delete(session(), backends(), account_id, _heir_id())
    except Invalid as error:
        return _account_page(account_id, problems=error.problems), 400
    except Conflict as error:
        return _account_page(account_id, problems=[Problem("/handOverTo", message_of(error))]), 409
    fate = (
        gettext("Its workflows and connections were handed over to %(name)s.", name=done.handed_over_to)
        if done.handed_over_to
        else gettext("Its workflows and connections were deleted, too.")
    )
    deleted = gettext("%(name)s was deleted.", name=done.username)
    flash(f"{deleted} {fate}", "done")
    return redirect(url_for("ui.managed_accounts"), 303)


@blueprint.post("/administration/accounts/<uuid:account_id>/password-reset")
def reset_password_of(account_id: UUID) -> str:
    """The answer itself shows the link."""
    administration.require_power_over_password(session(), viewer_id(), account_id)
    token = password_resets.begin(session(), account_id)
    return _account_page(account_id, link=links.password_reset(backends().settings, token))


def _accounts_page(problems: Any = (), invitation: Any = None) -> str:
    search, page = request.args.get("q", ""), requested_page()
    found = overview.list_overviews(session(), backends().settings, search, page=page, size=PAGE_SIZE + 1)
    return render_template(
        "administration/accounts.html",
        accounts=found[:PAGE_SIZE],
        more=page + 1 if len(found) > PAGE_SIZE else None,
        search=search,
        pending=invitations.list_pending(session()),
        made=invitation,
        entered=request.form if problems else {},
        problems=by_field(problems),
    )


def _account_page(account_id: UUID, problems: Any = (), link: str = "") -> str:
    account = overview.find_overview(session(), backends().settings, account_id)
    general = quotas.of_settings(backends().settings)
    return render_template(
        "administration/account.html",
        account=account,
        general=general,
        belongings=deletion.belongings_of(session(), account_id),
        link=link,
        hours=password_resets.LIFETIME_HOURS,
        entered=request.form if problems else {},
        problems=by_field(problems),
    )


def _heir_id() -> UUID | None:
    """The account that was entered; None where everything is to be deleted. Raises Invalid."""
    if request.form.get("everything"):
        return None
    try:
        return administration.find_by_name(session(), request.form.get("heir", "").strip()).id
    except NotFound as error:
        raise Invalid.at("/handOverTo", sentence("must be the name of another account")) from error


def _entered_quotas() -> Quotas:
    """Empty fields are as the settings say. Raises Invalid for what is no number."""
    entered = {name: request.form.get(name, "").strip() for name in _QUOTAS}
    wrong = [name for name, value in entered.items() if value and not _is_number(value)]
    if wrong:
        raise Invalid([Problem(f"/{to_camel(name)}", sentence("must be a whole number")) for name in wrong])
    return Quotas(**{name: int(value) if value else None for name, value in entered.items()})


def _is_number(text: str) -> bool:
    """Whether it can be read as one: Python reads no longer text as a number."""
    return text.isdecimal() and len(text) <= _LONGEST_NUMBER


def _done(account_id: UUID, message: str) -> Any:
    flash(message, "done")
    return redirect(url_for("ui.managed_account", account_id=account_id), 303)


def _require_administrator() -> None:
    administration.require_administrator(session(), viewer_id())


def _require_power_over(account_id: UUID) -> None:
    administration.require_power_over(session(), viewer_id(), account_id)
