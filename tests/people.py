"""People with an account, as clients of the API."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from flask.testing import FlaskClient
from pyotp.totp import TOTP
from sqlalchemy.orm import Session

from flowforge.accounts import second_factor
from flowforge.accounts.second_factor import SecondStep
from flowforge.wiring import Backends

PASSWORD = "correct horse battery"


@dataclass(frozen=True, slots=True)
class Person:
    """A registered user. `headers` make a request theirs."""

    id: UUID
    username: str
    email: str
    access_token: str
    refresh_token: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.access_token}"}


def registered(client: FlaskClient, name: str) -> Person:
    email = f"{name}@example.test"
    answer = client.post("/auth/register", json={"username": name, "email": email, "password": PASSWORD})
    assert answer.status_code == 200, answer.text
    tokens = answer.json
    me = client.get("/auth/me", headers={"Authorization": f"Bearer {tokens['access_token']}"})
    return Person(UUID(me.json["id"]), name, email, tokens["access_token"], tokens["refresh_token"])


def turn_second_factor_on(backends: Backends, person: Person) -> None:
    with Session(backends.engine) as session:
        app = TOTP(second_factor.begin_setup(session, backends.vault, person.id).secret)
        second_factor.confirm_setup(session, person.id, SecondStep(backends.vault, app.now()))
