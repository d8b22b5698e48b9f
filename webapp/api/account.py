"""/api/v1/profile, /tokens, /sessions: what the dashboard's settings hold."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from flask import Blueprint
from pydantic import Field

from flowforge.accounts import access_tokens, accounts, credentials, profile, web_sessions
from flowforge.accounts.access_tokens import Grant
from flowforge.accounts.scopes import Scope
from flowforge.jsonio import JsonObject
from webapp.api.account_schemas import NewPassword, NewToken, Profile, ProfileChange, SignedIn, Token, TokenRequest
from webapp.api.confirmation import confirm_password, require_person
from webapp.attempts import counts_as_attempt
from webapp.caching import never_store
from webapp.context import session
from webapp.endpoint import DELETED, Tag, created, endpoint, object_body
from webapp.guarded import guess_at
from webapp.identity import current_user_id
from webapp.query_params import Flag, Query

blueprint = Blueprint("account", __name__, url_prefix="/api/v1")
blueprint.after_request(never_store)


class KeptQuery(Query):
    keep_tokens: Flag = Field(False, description="Personal access tokens stay valid.")


@blueprint.get("/profile")
@endpoint(Tag.ACCOUNTS, Profile, refuses=(404,))
def show_profile() -> profile.Profile:
    """Get the caller's profile"""
    return profile.find(session(), current_user_id())


@blueprint.put("/profile")
@endpoint(Tag.ACCOUNTS, Profile, takes=object_body(ProfileChange), refuses=(404,), scope=Scope.ADMIN)
def change_profile(body: JsonObject) -> profile.Profile:
    """Change e-mail, time zone or language; what is left out is kept. The e-mail is changed as a token is made"""
    user_id, email = current_user_id(), body.get("email")
    if profile.changes_email(session(), user_id, email):
        confirm_password(body.get("password"))
    change = profile.ProfileChange(email, body.get("timeZone"), body.get("language"))
    return profile.update(session(), user_id, change)


@blueprint.post("/profile/password")
@counts_as_attempt
@endpoint(Tag.ACCOUNTS, DELETED, takes=NewPassword, refuses=(404, 429), scope=Scope.ADMIN)
def change_password(body: NewPassword) -> None:
    """Change the password; every browser and client is signed out, and personal access tokens end"""
    user_id, current, new = require_person().user_id, body.current_password, body.new_password
    with guess_at(accounts.get(session(), user_id).username):
        accounts.change_password(session(), user_id, current, new, keep_tokens=body.keep_tokens)


@blueprint.get("/tokens")
@endpoint(Tag.ACCOUNTS, [Token])
def list_tokens() -> Sequence[access_tokens.PersonalToken]:
    """List the caller's personal access tokens"""
    return access_tokens.all_of(session(), current_user_id())


@blueprint.post("/tokens")
@counts_as_attempt
@endpoint(Tag.ACCOUNTS, created(NewToken), takes=TokenRequest, refuses=(409, 429), scope=Scope.ADMIN)
def create_token(body: TokenRequest) -> access_tokens.NewToken:
    """Make a personal access token; only this answer shows it. Not with such a token itself, and with the password,
    unless the caller signed in within the last minute"""
    caller = confirm_password(body.password)
    grant = Grant(body.name, frozenset(body.scopes), body.days)
    return access_tokens.create(session(), caller.user_id, caller.epoch or 0, grant)


@blueprint.delete("/tokens/<uuid:token_id>")
@endpoint(Tag.ACCOUNTS, DELETED, scope=Scope.ADMIN)
def revoke_token(token_id: UUID) -> None:
    """Revoke a personal access token"""
    access_tokens.revoke(session(), current_user_id(), token_id)


@blueprint.get("/sessions")
@endpoint(Tag.ACCOUNTS, [SignedIn])
def list_sessions() -> Sequence[web_sessions.SignedIn]:
    """List where the caller is signed in, the last seen first"""
    return web_sessions.all_of(session(), current_user_id())


@blueprint.delete("/sessions")
@endpoint(Tag.ACCOUNTS, DELETED, query=KeptQuery, scope=Scope.ADMIN)
def end_all_sessions(query: KeptQuery) -> None:
    """Sign every browser and client out, the caller's too, and end personal access tokens"""
    user_id = current_user_id()
    credentials.end_all(session(), user_id, keep_tokens=query.keep_tokens)
    session().commit()


@blueprint.delete("/sessions/<uuid:session_id>")
@endpoint(Tag.ACCOUNTS, DELETED, scope=Scope.ADMIN)
def end_session(session_id: UUID) -> None:
    """Sign a browser or a client out"""
    web_sessions.end(session(), current_user_id(), session_id)
