"""/api/v1/profile, /tokens, /sessions: what the dashboard's settings hold."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Response, jsonify, request
from pydantic import BaseModel
from pydantic.alias_generators import to_camel
from werkzeug.exceptions import Forbidden

from flowforge.accounts import access_tokens, accounts, profile, web_sessions
from webapp.attempts import counts_as_attempt
from webapp.body import json_object, read
from webapp.context import session
from webapp.identity import current_user_id, signed_in

blueprint = Blueprint("account", __name__, url_prefix="/api/v1")


class NewPassword(BaseModel):
    model_config = {"alias_generator": to_camel, "populate_by_name": True}

    current_password: str
    new_password: str


@blueprint.after_request
def _never_store(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.get("/profile")
@signed_in
def show_profile() -> Response:
    """Get the caller's profile"""
    return jsonify(profile.profile_fields(accounts.find(session(), current_user_id())))


@blueprint.put("/profile")
@signed_in
def change_profile() -> Response:
    """Change e-mail or time zone; what is left out is kept"""
    return jsonify(profile.profile_fields(profile.update(session(), current_user_id(), json_object())))


@blueprint.post("/profile/password")
@counts_as_attempt
@signed_in
def change_password() -> tuple[str, int]:
    """Change the password; every browser and client is signed out"""
    given = read(NewPassword)
    _refuse_personal_tokens()
    user = accounts.change_password(session(), current_user_id(), given.current_password, given.new_password)
    web_sessions.end_others(session(), user.id, None)
    return "", 204


@blueprint.get("/tokens")
@signed_in
def list_tokens() -> Response:
    """List the caller's personal access tokens"""
    return jsonify([access_tokens.token_fields(row) for row in access_tokens.all_of(session(), current_user_id())])


@blueprint.post("/tokens")
@signed_in
def create_token() -> tuple[Response, int]:
    """Make a personal access token; only this answer shows it. Not with such a token itself"""
    wanted = json_object()
    _refuse_personal_tokens()
    row, token = access_tokens.create(session(), current_user_id(), wanted.get("name"), wanted.get("days"))
    return jsonify(access_tokens.token_fields(row) | {"token": token}), 201


@blueprint.delete("/tokens/<uuid:token_id>")
@signed_in
def revoke_token(token_id: UUID) -> tuple[str, int]:
    """Revoke a personal access token"""
    access_tokens.revoke(session(), current_user_id(), token_id)
    return "", 204


@blueprint.get("/sessions")
@signed_in
def list_sessions() -> Response:
    """List where the caller is signed in, the last seen first"""
    return jsonify([web_sessions.session_fields(row) for row in web_sessions.all_of(session(), current_user_id())])


@blueprint.delete("/sessions/<uuid:session_id>")
@signed_in
def end_session(session_id: UUID) -> tuple[str, int]:
    """Sign a browser or a client out"""
    web_sessions.end(session(), current_user_id(), session_id)
    return "", 204


def _refuse_personal_tokens() -> None:
    """A token that leaked must not outlive its own end by making another one."""
    authorization = request.authorization
    if authorization and (authorization.token or "").startswith(access_tokens.PREFIX):
        raise Forbidden("a personal access token may not do this; sign in instead")
