"""Accounts on the wire: registering and signing in, profile, access tokens, sessions."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import AliasChoices, BaseModel, Field

from webapp.wire import Wire


class Registration(BaseModel):
    username: str
    email: str
    password: str
    invitation: str | None = Field(None, description="What an invitation's link ends with.")


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


class ProfileChange(Wire):
    """Changes to a profile: omitted fields are kept."""

    email: str | None = None
    time_zone: str | None = Field(None, description="Such as Europe/Berlin; empty: UTC.")


class NewPassword(Wire):
    current_password: str
    new_password: str
    keep_tokens: bool = Field(False, description="Personal access tokens stay valid.")


class TokenRequest(Wire):
    name: str = Field(min_length=1, max_length=100)
    days: int | None = Field(None, ge=1, le=3650, description="How long it is valid; left out: without end.")


class Token(Wire):
    id: UUID
    name: str
    start: str = Field(description="Its first characters, to know it again.")
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
