"""What was written and has no effect comes back as warnings in the answer to what was saved."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.people import Person

Ask = Callable[..., Any]

WRITTEN: dict[str, Any] = {
    "name": "w",
    "actions": [{"type": "HTTP_REQUEST", "config": {"url": "https://x.test", "mehtod": "POST"}, "retires": {}}],
}
TOLD = [
    {"pointer": "/actions/0/retires", "message": "is not known, so it has no effect; did you mean 'retry'?"},
    {"pointer": "/actions/0/config/mehtod", "message": "is not known, so it has no effect; did you mean 'method'?"},
]


@pytest.fixture
def ask(client: FlaskClient, owner: Person) -> Ask:
    def send(method: str, path: str, body: Any = None) -> Any:
        return client.open(f"/api/v1{path}", method=method, json=body, headers=owner.headers)

    return send


def test_a_workflow_is_saved_with_them(ask: Ask) -> None:
    created = ask("POST", "/workflows", WRITTEN)
    assert (created.status_code, created.json["warnings"]) == (201, TOLD)
    kept = ask("GET", f"/workflows/{created.json['id']}").json
    assert kept["warnings"] == [TOLD[1]], "a key of an action is not kept, one of its config is"


def test_what_was_read_can_be_sent_back(ask: Ask) -> None:
    clean = {"name": "w", "actions": [{"type": "HTTP_REQUEST", "config": {"url": "https://x.test"}}]}
    created = ask("POST", "/workflows", {**clean, "note": "first", "enabled": False}).json
    assert "warnings" not in created
    assert "warnings" not in ask("PUT", f"/workflows/{created['id']}", {**created, "warnings": []}).json
    changed = ask("PUT", f"/workflows/{created['id']}", {"name": "w", "actoins": []}).json
    assert [warning["pointer"] for warning in changed["warnings"]] == ["/actoins"]


def test_so_are_drafts_and_bundles(ask: Ask) -> None:
    id_ = ask("POST", "/workflows", {"name": "w", "actions": []}).json["id"]
    draft = ask("PUT", f"/workflows/{id_}/draft", {"revision": 0, "definition": WRITTEN}).json
    assert (draft["problems"], draft["warnings"]) == ([], TOLD)
    assert ask("POST", f"/workflows/{id_}/publish", {}).json["warnings"] == TOLD
    for dry_run in (True, False):
        bundle = {"workflows": [{"key": "w", "definition": WRITTEN}], "dryRun": dry_run}
        [applied] = ask("POST", "/workflows/apply", bundle).json["workflows"]
        pointers = [warning["pointer"] for warning in applied["warnings"]]
        assert pointers == [f"/definition{told['pointer']}" for told in TOLD]


def test_so_are_triggers(ask: Ask) -> None:
    workflow_id = ask("POST", "/workflows", {"name": "w", "actions": []}).json["id"]
    wanted = {"workflowId": workflow_id, "triggerType": "webhook", "configuration": {"auth": "github", "secert": "x"}}
    refused = ask("POST", "/triggers", wanted)
    assert refused.status_code == 400, "the key that was meant is missing"
    wanted["configuration"] = {"auth": "github", "secret": "a long secret", "metods": ["PUT"]}
    created = ask("POST", "/triggers", wanted)
    told = [
        {"pointer": "/configuration/metods", "message": "is not known, so it has no effect; did you mean 'methods'?"}
    ]
    assert (created.status_code, created.json["warnings"]) == (201, told)
    assert ask("GET", "/triggers").json[0]["warnings"] == told
    corrected = {"configuration": {"auth": "github", "secret": "a long secret", "methods": ["PUT"]}}
    assert "warnings" not in ask("PUT", f"/triggers/{created.json['id']}", corrected).json
