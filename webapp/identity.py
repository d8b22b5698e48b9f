"""Identity of a request: a verified access token, or our own dashboard session. Nothing else is believed.

Access tokens are checked without the database, but for the personal ones (flowforge.accounts.access_tokens): they name
the epoch of their account's credentials and the session of their device, and which of these count is in memory
(flowforge.db.credential_epochs). A token that another implementation signed with the same key counts if it names the
user in `user_id`, until the account's first epoch ends; its `sub` is never read (contract.md, section 2).
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import ParamSpec, TypeVar
from uuid import UUID

from flask import Flask, Request, Response, request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin
from flask_jwt_extended import JWTManager, create_access_token, decode_token
from flask_jwt_extended.exceptions import JWTExtendedException
from flask_login import LoginManager, current_user
from jwt.exceptions import PyJWTError

from flowforge.accounts import access_tokens, accounts, web_sessions
from flowforge.accounts.appearance import Density, Theme
from flowforge.accounts.roles import ADMINISTRATORS
from flowforge.accounts.scopes import ALL, Scope
from flowforge.accounts.views import AccountView
from flowforge.errors import Forbidden, NotFound, Unauthorized
from flowforge.jsonio import JsonObject
from flowforge.wiring import Backends
from webapp.context import backends, note_account, session

P = ParamSpec("P")
R = TypeVar("R")

_LEEWAY_SECONDS = 30
_MAX_TOKEN_LENGTH = 4096
_CALLER = "flowforge.caller"  # belongs to one request; no header can reach a key of this form
_EPOCH = "epoch"
_SESSION = "sid"
"""The session (OpenID Connect Front-Channel Logout 1.0, section 3): the family of refresh tokens."""
_PROVEN_AT = "auth_time"
"""When the password was given (OpenID Connect Core, section 2); not in a token that a refresh token bought."""
_JUST_PROVEN_SECONDS = 60
_ENDED = "the access token has been ended; please sign in again"
_SAFE_METHODS = frozenset({"GET", "HEAD"})

login_manager = LoginManager()


@dataclass(frozen=True, slots=True)
class DashboardUser:
    """The signed-in person, for Flask-Login. Pass it to `login_user`."""

    id: UUID
    username: str
    email: str
    time_zone: str | None
    language: str | None
    session_id: UUID
    """The id of this browser's session (flowforge.accounts.web_sessions)."""
    epoch: int
    """The epoch of the account's credentials in which the session was begun."""
    has_second_factor: bool
    role: str
    """A flowforge.accounts.roles.Role."""
    theme: str
    density: str

    is_authenticated = True
    is_active = True
    is_anonymous = False

    @classmethod
    def of(cls, user: AccountView, session_id: UUID) -> DashboardUser:
        return cls(
            user.id,
            user.username,
            user.email,
            user.time_zone,
            user.language,
            session_id,
            user.credentials_epoch,
            user.has_second_factor,
            user.role,
            user.theme or Theme.SYSTEM,
            user.density or Density.COMFORTABLE,
        )

    @property
    def is_administrator(self) -> bool:
        return self.role in ADMINISTRATORS

    def get_id(self) -> str:
        """Return what the session cookie holds."""
        return f"{self.id}.{self.epoch}.{self.session_id}"


class SessionCookies(SecureCookieSessionInterface):
    """Cookies that a browser sends back over HTTPS alone, once the request that set them came that way."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """Makes nothing ready to verify a cookie that did not come: calls of webhooks have none."""
        is_sent = "HTTP_COOKIE" in request.environ and self.get_cookie_name(app) in request.cookies
        return super().open_session(app, request) if is_sent else self.session_class()

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Works out nothing of a cookie where none is set, none goes, and the answer depends on none."""
        if session or session.accessed or session.modified:
            super().save_session(app, session, response)

    def get_cookie_secure(self, app: Flask) -> bool:
        return super().get_cookie_secure(app) or request.is_secure


def install(app: Flask, own: Backends) -> None:
    settings = own.settings
    app.session_interface = SessionCookies()
    app.config.update(
        SECRET_KEY=own.keys.session,
        SESSION_COOKIE_NAME=f"flowforge_{settings.port}",  # browsers do not keep the cookies of two ports apart
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.secure_cookies,
        PERMANENT_SESSION_LIFETIME=settings.refresh_token_lifetime,
        JWT_SECRET_KEY=own.keys.jwt,
        JWT_ALGORITHM="HS256",
        JWT_DECODE_ALGORITHMS=["HS256"],
        JWT_DECODE_LEEWAY=_LEEWAY_SECONDS,
        JWT_ACCESS_TOKEN_EXPIRES=settings.access_token_lifetime,
        JWT_IDENTITY_CLAIM="user_id",
        JWT_VERIFY_SUB=False,
        JWT_ENCODE_NBF=False,
    )
    JWTManager(app)
    # Its `init_app` would give templates the user, and an error page must not need the database; and after each request
    # it would look into the session for a cookie to remember people by, which we do not use.
    app.login_manager = login_manager  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Caller:
    """The account that a request speaks for, and what it may do."""

    user_id: UUID
    scopes: frozenset[Scope] = ALL
    epoch: int | None = None
    """The epoch of the account's credentials; None for a personal access token."""
    proven_at: float | None = None
    credential: UUID | None = None
    """The session or personal access token; None for an access token that names no session."""
    has_left: bool = False
    """Whether that session has been ended."""

    @property
    def is_person(self) -> bool:
        """Whether somebody signed in; a personal access token is a program's."""
        return self.epoch is not None

    @property
    def has_just_proven(self) -> bool:
        """Whether the password was given so shortly ago that it need not be asked for again."""
        return self.proven_at is not None and time.time() - self.proven_at < _JUST_PROVEN_SECONDS


def access_token(user: AccountView, session_id: UUID, *, proven: bool) -> str:
    """The access token of a session for somebody who has just given the password (`proven`), or a refresh token."""
    claims: JsonObject = {"sub": str(user.id), "username": user.username, _EPOCH: user.credentials_epoch}
    claims[_SESSION] = str(session_id)
    claims |= {_PROVEN_AT: int(time.time())} if proven else {}
    token: str = create_access_token(identity=str(user.id), additional_claims=claims)
    return token


def bearer_token() -> str:
    """The token of the header `Authorization` (RFC 6750); empty where it holds none."""
    authorization = request.authorization
    return (authorization.token or "") if authorization and authorization.type == "bearer" else ""


def current_user_id() -> UUID:
    """Raises Unauthorized."""
    return current_caller().user_id


def current_caller() -> Caller:
    """Raises Unauthorized. The dashboard's session counts for reading only: no cookie can change anything here."""
    caller = leaving_caller()
    if caller.has_left:
        raise Unauthorized(_ENDED)
    return caller


def leaving_caller() -> Caller:
    """Who signs out: also by an access token of a session that was ended, since whoever got no answer asks again.
    Raises Unauthorized."""
    if _CALLER not in request.environ:
        request.environ[_CALLER] = _caller_by_token() if "Authorization" in request.headers else _caller_by_session()
    caller: Caller = request.environ[_CALLER]
    return caller


def require(scope: Scope, caller: Caller) -> None:
    """Raises Forbidden where the caller's token does not allow this."""
    if scope not in caller.scopes:
        raise Forbidden(f"this access token lacks the scope `{scope}`")


def _caller_by_token() -> Caller:
    token = bearer_token()
    if not token or len(token) > _MAX_TOKEN_LENGTH:
        raise Unauthorized("a bearer access token is required")
    if not token.startswith(access_tokens.PREFIX):
        return _caller_in(_verified(token))
    holder = access_tokens.holder_of(session(), token)
    if holder is None:
        raise Unauthorized("the access token is unknown, expired or revoked")
    note_account(holder.user_id, token[: access_tokens.SHOWN_CHARACTERS])
    return Caller(holder.user_id, holder.scopes, credential=holder.token_id)


def _verified(token: str) -> JsonObject:
    try:
        claims: JsonObject = decode_token(token)
    except (PyJWTError, JWTExtendedException) as error:
        raise Unauthorized("the access token is invalid or has expired") from error
    if claims["type"] == "refresh" or "exp" not in claims:
        raise Unauthorized("this is not an access token")
    return claims


def _caller_in(claims: JsonObject) -> Caller:
    try:
        user_id = UUID(claims["user_id"])
        session_id = UUID(claims[_SESSION]) if _SESSION in claims else None
    except (ValueError, AttributeError, TypeError) as error:
        raise Unauthorized("the access token names no user") from error
    epoch, valid = claims.get(_EPOCH, 0), backends().credential_epochs.current(user_id)
    if epoch != valid.epoch:
        raise Unauthorized(_ENDED)
    note_account(user_id)
    proven_at = claims.get(_PROVEN_AT)
    proven_at = proven_at if isinstance(proven_at, int) else None
    return Caller(user_id, ALL, epoch, proven_at, session_id, has_left=session_id in valid.ended)


def _caller_by_session() -> Caller:
    if request.method in _SAFE_METHODS and current_user.is_authenticated and not lacks_second_factor():
        return Caller(current_user.id, epoch=current_user.epoch, credential=current_user.session_id)
    raise Unauthorized("a bearer access token is required")


def lacks_second_factor() -> bool:
    """Whether whoever is signed in to the dashboard has to set up a second factor before anything else."""
    return backends().settings.second_factor_required and not current_user.has_second_factor


@login_manager.user_loader  # type: ignore[untyped-decorator]
def _load(cookie: str) -> DashboardUser | None:
    user_id, epoch, session_id = (*cookie.split("."), "", "")[:3]
    try:
        user = accounts.get(session(), UUID(user_id))
    except NotFound:
        return None
    if str(user.credentials_epoch) != epoch or not session_id:
        return None
    dashboard_user = DashboardUser.of(user, UUID(session_id))
    is_alive = web_sessions.is_alive(session(), dashboard_user.id, dashboard_user.session_id)
    if not is_alive:
        return None
    note_account(dashboard_user.id)
    return dashboard_user
