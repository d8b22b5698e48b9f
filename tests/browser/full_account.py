"""An account with everything, whose names are what people also call things: long, right to left, of one word, of signs.

What is on the pages of others is never so bad.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from flowforge.db.tables import DeadLetter
from flowforge.jsonio import JsonObject
from flowforge.wiring import Backends
from tests.descriptions import as_file, petstore
from tests.engine.pipeline import working
from tests.people import Person
from tests.waiting import eventually

LONG = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"
ARABIC = "تذكير العملاء بالفواتير المتأخرة (2026)"
EMOJI = "🧾➡️📮 Rechnungen 🇩🇪🇦🇹 👩‍👩‍👧‍👦"
ONE_WORD = "x" * 255
NAMES = (LONG, ARABIC, EMOJI, ONE_WORD)
_TEXT = f"{ARABIC} {LONG}\n" * 12
_FAILS = {"type": "TRANSFORM", "name": ONE_WORD, "config": {"output": {"wrong": "{{ trigger.body.none.at.all }}"}}}


@dataclass(frozen=True, slots=True)
class FullAccount:
    person: Person
    addresses: Mapping[str, Mapping[str, str]]
    """Values of the parameters in addresses of pages, by endpoint; under `` those of all."""


def furnish(client: FlaskClient, backends: Backends, person: Person) -> FullAccount:
    account = _Account(client, person)
    workflows = [account.workflow(name) for name in NAMES]
    form = account.post("/workflows", _form())
    waiting = account.post("/workflows", _waiting())
    for number, tag in enumerate(
        [*(name[:40] for name in NAMES if name.isprintable()), *(f"tag {number}" for number in range(16))]
    ):
        account.tags.setdefault(workflows[number % len(workflows)]["id"], []).append(tag)
    account.put_tags()
    runs = account.run_all([*workflows, waiting], backends)
    table, row = account.table()
    connection = account.connection("x" * 63)
    account.put("/variables/" + "v" * 60, {"value": _TEXT})
    api = account.post("/apis", {"file": as_file(petstore(info={"title": f"{LONG} {ARABIC}", "version": "1"}))})
    _lose_messages(backends, person)
    every = {
        "workflow_id": workflows[0]["id"],
        "execution_id": runs[0],
        "table_id": table,
        "row_id": row,
        "connection_id": connection,
        "api_id": api["id"],
        "account_id": str(person.id),
    }
    token = account.token_of_form(form["id"])
    own = {
        "forms.show": {"token": token},
        "forms.sent": {"token": token},
        "ui.template": {"name": "greet"},
        "ui.builder": {"step": "/actions/1/actions/0"},
        "ui.execution_items": {"step": "1"},
        "ui.step_input": {"step": "0"},
        "ui.step_output": {"step": "0"},
    }
    return FullAccount(person, {"": every, **own})


class _Account:
    """Somebody who makes things by the API."""

    def __init__(self, client: FlaskClient, person: Person) -> None:
        self._client = client
        self._person = person
        self.tags: dict[str, list[str]] = {}

    def post(self, path: str, body: Any) -> JsonObject:
        return self._send("POST", path, body)

    def put(self, path: str, body: Any) -> JsonObject:
        return self._send("PUT", path, body)

    def workflow(self, name: str) -> JsonObject:
        steps = [
            {"type": "TRANSFORM", "id": "first", "name": name, "note": _TEXT, "config": {"output": {"text": _TEXT}}},
            {"type": "FOR_EACH", "name": name, "config": {"items": "{{ [1, 2, 3] }}"}, "actions": [_branches(name)]},
            {"type": "TRANSFORM", "name": name, "enabled": False, "config": {"output": {}}},
            {"type": "HTTP_REQUEST", "config": {"url": f"https://{'long' * 15}.test/{'path/' * 30}"}, "enabled": False},
            _FAILS,
        ]
        definition = {"name": name, "trigger": {"type": "webhook"}, "actions": steps, "settings": {"note": _TEXT}}
        return self.post("/workflows", definition)

    def put_tags(self) -> None:
        for workflow, tags in self.tags.items():
            self.put(f"/workflows/{workflow}/tags", {"tags": tags})

    def run_all(self, workflows: list[JsonObject], backends: Backends) -> list[str]:
        """Runs each once; returns the executions, when what does not wait is over."""
        with working(backends):
            runs = [self.post(f"/workflows/{one['id']}/run", {"body": {"name": _TEXT}}) for one in workflows]
            ids = [str(run["executionId"]) for run in runs]
            eventually(
                lambda: [self.get(f"/executions/{id_}")["status"] for id_ in ids[:-1]] == ["FAILED"] * (len(ids) - 1)
            )
            eventually(lambda: self.get(f"/executions/{ids[-1]}")["status"] == "RUNNING")
        return ids

    def get(self, path: str) -> JsonObject:
        return self._send("GET", path, None)

    def table(self) -> tuple[str, str]:
        """The table, and a row of it."""
        word, arabic = "x" * 63, "تاريخ_الفاتورة"
        columns = [{"name": "key"}, {"name": word}, {"name": arabic}, {"name": "more", "type": "json"}]
        made = self.post("/tables", {"name": LONG[:60], "columns": columns, "key": "key"})
        row = {"key": ONE_WORD, word: _TEXT, arabic: ARABIC, "more": {"deep": {LONG: [_TEXT]}}}
        [added, _] = self._send("POST", f"/tables/{made['id']}/rows", {"rows": [row, {"key": EMOJI}]})
        return str(made["id"]), str(added["row"]["id"])

    def connection(self, name: str) -> str:
        made = self.post("/connections", {"name": name, "type": "http", "config": {"bearerToken": "secret"}})
        return str(made["id"])

    def token_of_form(self, workflow: str) -> str:
        [trigger] = self._send("GET", f"/triggers?workflowId={workflow}", None)
        return str(trigger["webhookToken"])

    def _send(self, method: str, path: str, body: Any) -> Any:
        answer = self._client.open(f"/api/v1{path}", method=method, json=body, headers=self._person.headers)
        assert answer.status_code < 300, f"{path}: {answer.text[:2000]}"
        return answer.json


def _branches(name: str) -> JsonObject:
    inner = {"type": "TRANSFORM", "name": name, "config": {"output": {"text": "{{ item }}"}}}
    branches = [{"name": name, "when": "{{ item > 1 and trigger.body.name != 'nobody at all' }}", "actions": [inner]}]
    return {"type": "BRANCH", "name": name, "branches": branches, "else": [inner]}


def _form() -> JsonObject:
    fields = [{"name": f"field{number}", "label": name[:200], "type": "text"} for number, name in enumerate(NAMES)]
    config = {"title": LONG, "description": _TEXT, "fields": fields}
    return {"name": ARABIC, "trigger": {"type": "form", "config": config}, "actions": []}


def _waiting() -> JsonObject:
    asks = {"for": "approval", "message": _TEXT}
    return {"name": EMOJI, "trigger": {"type": "webhook"}, "actions": [{"type": "WAIT", "name": LONG, "config": asks}]}


def _lose_messages(backends: Backends, person: Person) -> None:
    with Session(backends.engine) as session:
        for number in range(2):
            letter = DeadLetter(
                topic="execution.result",
                consumer_group="flowforge-orchestrator",
                position=str(number),
                key=ONE_WORD,
                value=_TEXT.encode(),
                reason=f"{LONG}\n{ONE_WORD}",
                user_id=person.id,
            )
            session.add(letter)
        session.commit()
