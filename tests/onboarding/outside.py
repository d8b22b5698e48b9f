"""The world outside, on loopback: an account whose workflows meet these servers where templates name others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from flask import Flask
from flask.testing import FlaskClient
from pytest_httpserver import HTTPServer
from sqlalchemy import update

from flowforge.db.tables import TriggerRegistration
from flowforge.jsonio import JsonObject
from flowforge.onboarding.gallery import template
from flowforge.triggers.schedules.firing import fire_due
from flowforge.wiring import Backends
from tests.api import things
from tests.people import Person
from tests.triggers.form_page import FormPage
from tests.waiting import eventually
from workers.polls import run_poll

_PATHS = {"SHEETS_APPEND": "", "SLACK_POST": "", "LLM": "v1"}
"""The actions of services that the HTTP server stands in for, and the path below which it does."""


@dataclass(frozen=True)
class Automation:
    """A workflow that was made from a template, and what happens to it."""

    workflow_id: str
    app: Flask
    backends: Backends
    client: FlaskClient
    owner: Person

    @property
    def trigger(self) -> dict[str, Any]:
        [registered] = things.triggers_of(self.client, self.owner, self.workflow_id)
        return registered

    @property
    def form(self) -> FormPage:
        return FormPage(self.app, f"/forms/{self.trigger['webhookToken']}")

    @property
    def webhook(self) -> str:
        return f"/webhook/{self.trigger['webhookToken']}"

    def its_time_comes(self) -> None:
        with self.backends.engine.begin() as connection:
            due = update(TriggerRegistration).where(TriggerRegistration.id == UUID(self.trigger["id"]))
            connection.execute(due.values(next_scheduled_at=datetime.now(UTC)))
        assert fire_due(self.backends) == 1

    def it_is_polled(self) -> None:
        run_poll(self.backends, UUID(self.trigger["id"]))

    def finished(self, executions: int = 1) -> Mapping[str, Any]:
        """The newest execution, once so many are over."""
        return eventually(lambda: self._over(executions))[0]

    def _over(self, executions: int) -> Sequence[Mapping[str, Any]]:
        query = {"workflowId": self.workflow_id}
        page = self.client.get(things.EXECUTIONS, query_string=query, headers=self.owner.headers).json
        over = [row for row in page["content"] if row["finishedAt"]]
        return over if len(over) >= executions else []


@dataclass(frozen=True)
class Account:
    """Somebody who makes workflows from templates."""

    app: Flask
    backends: Backends
    client: FlaskClient
    person: Person
    http: HTTPServer

    def connect(self, name: str, kind: str, config: Mapping[str, Any]) -> str:
        """A connection under that name."""
        wanted = {"name": name, "type": kind, "config": dict(config)}
        made = self.client.post("/api/v1/connections", json=wanted, headers=self.person.headers)
        assert made.status_code == 201, made.text
        return name

    def automate(self, name: str, trigger: Mapping[str, Any] | None = None, **entered: str) -> Automation:
        """A workflow from that template, with keys added to its trigger's config."""
        chosen = template(name)
        definition = self._pointed_here(chosen.filled(entered))
        definition["trigger"].setdefault("config", {}).update(trigger or {})
        self._make_tables(chosen.tables)
        made = things.workflow(self.client, self.person, **definition)
        return Automation(made["id"], self.app, self.backends, self.client, self.person)

    def run(self, workflow: JsonObject) -> str:
        """The id of an execution of that workflow, begun by hand."""
        made = things.workflow(self.client, self.person, **workflow)
        started = self.client.post(f"{things.WORKFLOWS}/{made['id']}/run", json={}, headers=self.person.headers)
        assert started.status_code == 202, started.text
        done = Automation(made["id"], self.app, self.backends, self.client, self.person).finished()
        return str(done["id"])

    def _make_tables(self, tables: Sequence[JsonObject]) -> None:
        for table in tables:
            made = self.client.post("/api/v1/tables", json=table, headers=self.person.headers)
            assert made.status_code == 201, made.text

    def _pointed_here(self, part: Any) -> Any:
        """The same, with the endpoints of services on the HTTP server."""
        if isinstance(part, list):
            return [self._pointed_here(one) for one in part]
        if not isinstance(part, dict):
            return part
        pointed = {key: self._pointed_here(value) for key, value in part.items()}
        if (type_ := part.get("type")) in _PATHS:
            pointed["config"] |= {"endpoint": self.http.url_for(_PATHS[type_])}
        return pointed
