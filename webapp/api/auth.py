"""/auth: register, login, refresh-token, logout, me (contract.md, sections 1.1 and 1.2)."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, Response, jsonify, request
from pydantic import AliasChoices, BaseModel, Field
from werkzeug.exceptions import Forbidden

from flowforge.accounts import accounts, sign_ins
from flowforge.db.tables import User
from flowforge.errors import NotFound, Unauthorized
from webapp.attempts import counts_as_attempt
from webapp.body import read
from webapp.context import backends, session
from webapp.identity import access_token, current_user_id, signed_in

MAX_BYTES = 16 * 1024

blueprint = Blueprint("auth", __name__, url_prefix="/auth")


class Registration(BaseModel):
    username: str
    email: str
    password: str


class Login(BaseModel):
    username: str
    password: str


class HeldToken(BaseModel):
    """The refresh token a client holds; it may be sent under the name it came with."""

    refresh_token: str = Field(
        min_length=1,
        validation_alias=AliasChoices("refreshToken", "refresh_token"),
        serialization_alias="refreshToken",
    )


@blueprint.before_request
def _keep_bodies_small() -> None:
    request.max_content_length = MAX_BYTES


@blueprint.after_request
def _never_store(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.post("/register")
@counts_as_attempt
def register() -> Response:
    """Create an account and sign in"""
    if not backends().settings.registration_open:
        raise Forbidden("registration is closed on this server")
    wanted = read(Registration)
    user = accounts.register(session(), wanted.username, wanted.email, wanted.password)
    return _token_pair(user, sign_ins.begin(session(), user.id, _lifetime(), _agent()))


@blueprint.post("/login")
@counts_as_attempt
def login() -> Response:
    """Sign in"""
    given = read(Login)
    return _token_pair(*accounts.sign_in(session(), given.username, given.password, _lifetime(), _agent()))


@blueprint.post("/refresh-token")
def refresh_token() -> Response:
    """Exchange a refresh token for new tokens"""
    return _token_pair(*sign_ins.rotate(session(), read(HeldToken).refresh_token, _lifetime(), _agent()))


@blueprint.post("/logout")
@signed_in
def logout() -> Response:
    """Sign this device out"""
    sign_ins.end(session(), current_user_id(), read(HeldToken).refresh_token)
    return Response(status=200)


@blueprint.get("/me")
@signed_in
def me() -> Response:
    """Who I am"""
    try:
        user = accounts.find(session(), current_user_id())
    except NotFound as error:
        raise Unauthorized("the account of this access token does not exist any more") from error
    return jsonify(id=user.id, username=user.username, email=user.email)


def _token_pair(user: User, refresh: str) -> Response:
    return jsonify(access_token=access_token(user), refresh_token=refresh)


def _lifetime() -> timedelta:
    return backends().settings.refresh_token_lifetime


def _agent() -> str:
    return request.headers.get("User-Agent", "")
