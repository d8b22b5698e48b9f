"""The wire models of connections and named secrets (see schemas.py)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import Field

from flowforge.jsonio import JsonObject
from webapp.wire import FreeObject, Wire


class ConnectionType(Wire):
    type: str = Field(description="What kind of connection it is.")
    title: str
    testable: bool = Field(description="Whether it can be tried out without doing anything.")
    config: FreeObject = Field(description="JSON Schema of its config.")
    help: str
    icon: str


class NewConnection(Wire):
    name: str = Field(max_length=63, description="Small letters, digits, _ and -; steps call it by this.")
    type: str
    config: JsonObject


class ConnectionChange(Wire):
    config: JsonObject = Field(description="******** keeps the secret that is stored.")


class Connection(Wire):
    id: UUID
    name: str
    type: str
    config: FreeObject
    tested_at: datetime | None
    problem: str | None = Field(description="What was wrong when it was last tried out.")
    created_at: datetime
    updated_at: datetime
    is_broken: bool = Field(description="Whether somebody has to sign in with it again, in the dashboard.")
    paused_until: datetime | None = Field(
        None, description="The end of a pause that the service has asked for: until then, steps that use it wait."
    )


class ConnectionPreset(Wire):
    name: str = Field(description="`preset` in the config of a connection of the type oauth2.")
    title: str
    type: str = Field(description="The type of its connections.")
    help: str
    documentation: str = Field(description="The page of the provider that tells how to get the credentials.")
    config: FreeObject = Field(description="What is filled in beforehand.")


class SecretValue(Wire):
    value: str = Field(max_length=32_768)


class SecretName(Wire):
    name: str
    updated_at: datetime
