"""/auth: register, login, refresh-token, logout, me (contract.md, sections 1.1 and 1.2)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from flask import Blueprint, request

from flowforge.accounts import accounts, password_resets, registration, sign_ins
from flowforge.accounts.registration import NewAccount
from flowforge.accounts.second_factor import SecondStep
from flowforge.accounts.sign_ins import Device
from flowforge.accounts.views import AccountView
from flowforge.errors import Forbidden, NotFound, Unauthorized
from webapp import reset_mails
from webapp.api.account_schemas import Forgotten, HeldToken, Login, Me, PasswordReset, Registration, TokenPair
from webapp.attempts import counts_as_attempt
from webapp.caching import never_store
from webapp.context import backends, session
from webapp.endpoint import DELETED, Answer, Tag, endpoint
from webapp.guarded import guess_at, make_familiar
from webapp.identity import access_token, current_user_id, leaving_caller

MAX_BYTES = 16 * 1024
_SETUP_FIRST = "this server requires a second factor; use the dashboard to set one up"

blueprint = Blueprint("auth", __name__, url_prefix="/auth")
blueprint.after_request(never_store)


@dataclass(frozen=True, slots=True)
class Tokens:
    access_token: str
    refresh_token: str


@blueprint.before_request
def _keep_bodies_small() -> None:
    request.max_content_length = MAX_BYTES


@blueprint.post("/register")
@counts_as_attempt
@endpoint(Tag.ACCOUNTS, TokenPair, takes=Registration, refuses=(403, 409, 429), public=True)
def register(body: Registration) -> Tokens:
    """Create an account and sign in; where registration is closed, with an invitation"""
    if backends().settings.second_factor_required:
        raise Forbidden(_SETUP_FIRST)
    new = NewAccount(body.username, body.email, body.password)
    user = registration.register(session(), backends().settings, new, body.invitation)
    make_familiar(user.username)
    return _tokens(user, sign_ins.begin(session(), user.id, _lifetime(), _agent()), proven=True)


@blueprint.post("/login")
@counts_as_attempt
@endpoint(Tag.ACCOUNTS, TokenPair, takes=Login, refuses=(401, 403, 429), public=True)
def login(body: Login) -> Tokens:
    """Sign in; where the account has a second factor, with a code of it"""
    with guess_at(body.username):
        user, device = accounts.sign_in(
            session(), body.username, body.password, _lifetime(), _agent(), _second_step(body.code)
        )
    return _tokens(user, device, proven=True)


@blueprint.post("/refresh-token")
@endpoint(Tag.ACCOUNTS, TokenPair, takes=HeldToken, refuses=(401,), public=True)
def refresh_token(body: HeldToken) -> Tokens:
    """Exchange a refresh token for new tokens"""
    user, device = sign_ins.rotate(session(), body.refresh_token, _lifetime(), _agent())
    if backends().settings.second_factor_required and not user.has_second_factor:
        raise Unauthorized(_SETUP_FIRST)
    return _tokens(user, device, proven=False)


@blueprint.post("/forgotten-password")
@counts_as_attempt
@endpoint(
    Tag.ACCOUNTS,
    {202: Answer(None, "A mail is on its way, if there is such an account", None)},
    takes=Forgotten,
    refuses=(403, 429),
    public=True,
)
def forgotten_password(body: Forgotten) -> None:
    """Ask for a mail with a link by which a new password is set"""
    if not reset_mails.ask(body.account):
        raise Forbidden("this server sends no mail; an administrator can make a link for a new password")


@blueprint.post("/reset-password")
@counts_as_attempt
@endpoint(Tag.ACCOUNTS, DELETED, takes=PasswordReset, refuses=(429,), public=True)
def reset_password(body: PasswordReset) -> None:
    """Set a new password with what such a link ends with; every browser and client is signed out"""
    make_familiar(password_resets.complete(session(), body.token, body.new_password).username)


@blueprint.post("/logout")
@endpoint(Tag.ACCOUNTS, {200: Answer(None, "Signed out", None)}, takes=HeldToken, leaving=True)
def logout(body: HeldToken) -> None:
    """Sign this device out; its access token ends, too"""
    sign_ins.end(session(), leaving_caller().user_id, body.refresh_token)


@blueprint.get("/me")
@endpoint(Tag.ACCOUNTS, Me)
def me() -> AccountView:
    """Show the account of the caller"""
    try:
        return accounts.get(session(), current_user_id())
    except NotFound as error:
        raise Unauthorized("the account of this access token does not exist any more") from error


def _tokens(user: AccountView, device: Device, *, proven: bool) -> Tokens:
    return Tokens(access_token(user, device.session_id, proven=proven), device.refresh_token)


def _second_step(code: str) -> SecondStep:
    return SecondStep(backends().vault, code, backends().settings.second_factor_required)


def _lifetime() -> timedelta:
    return backends().settings.refresh_token_lifetime


def _agent() -> str:
    return request.headers.get("User-Agent", "")
