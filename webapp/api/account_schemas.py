"""Accounts on the wire: registering and signing in, profile, access tokens, sessions."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import AliasChoices, BaseModel, Field

from flowforge.accounts.access_tokens import LONGEST_LIFE_DAYS, USUAL_LIFE_DAYS
from flowforge.accounts.scopes import Scope
from webapp.wire import Wire


class Registration(BaseModel):
    username: str
    email: str
    password: str
    invitation: str | None = Field(None, description="What an invitation's link ends with.")


class Login(BaseModel):
    username: str
    password: str
    code: str = Field("", description="Of the second factor, or a recovery code; where the account has one.")


class Forgotten(BaseModel):
    account: str = Field(min_length=1, max_length=300, description="A user name or an e-mail address.")


class PasswordReset(Wire):
    token: str = Field(min_length=1, max_length=200, description="What the link ends with.")
    new_password: str


class HeldToken(BaseModel):
    """The refresh token a client holds; it may be sent under the name it came with."""

    refresh_token: str = Field(
        min_length=1,
        validation_alias=AliasChoices("refreshToken", "refresh_token"),
        serialization_alias="refreshToken",
    )


class TokenPair(Wire):
    access_token: str = Field(alias="access_token")
    refresh_token: str = Field(alias="refresh_token")


class Me(Wire):
    id: UUID
    username: str
    email: str


class Profile(Wire):
    id: UUID
    username: str
    email: str
    time_zone: str
    created_at: datetime
    language: str = Field(description="Of pages; empty: the browser's.")


class ProfileChange(Wire):
    """Changes to a profile: omitted fields are kept."""

    email: str | None = None
    time_zone: str | None = Field(None, description="Such as Europe/Berlin; empty: UTC.")
    language: str | None = Field(None, description="Of pages: `en`, `de`; empty: the browser's.")
    password: str | None = Field(
        None, description="The account's; needed for another e-mail where the sign-in is over a minute ago."
    )


class NewPassword(Wire):
    current_password: str
    new_password: str
    keep_tokens: bool = Field(False, description="Personal access tokens stay valid.")


class TokenRequest(Wire):
    name: str = Field(min_length=1, max_length=100)
    days: int = Field(USUAL_LIFE_DAYS, ge=1, le=LONGEST_LIFE_DAYS, strict=True, description="How long it is valid.")
    scopes: list[Scope] = Field(
        [Scope.READ, Scope.RUN, Scope.WRITE], min_length=1, description="What it allows: operations name their scope."
    )
    password: str | None = Field(None, description="The account's; needed where the sign-in is over a minute ago.")


class Token(Wire):
    id: UUID
    name: str
    start: str = Field(description="Its first characters, to know it again.")
    scopes: list[Scope]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None


class NewToken(Token):
    token: str = Field(description="Send it as `Authorization: Bearer …`. It is not shown again.")


class SignedIn(Wire):
    id: UUID
    kind: Literal["browser", "client"]
    user_agent: str
    address: str | None
    since: datetime
    last_seen_at: datetime
