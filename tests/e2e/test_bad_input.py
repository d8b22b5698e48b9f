"""Whatever bad comes in, the person it concerns is told in plain words, and the workers go on with the next.

The details are tested where they are made; here stands what the user sees, through the API.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from pytest_httpserver import HTTPServer
from sqlalchemy import update

from flowforge.db.tables import TriggerRegistration
from flowforge.triggers.schedules.firing import fire_due
from flowforge.wiring import Backends
from tests.connectors import rude_server
from tests.connectors.rude_server import Behaviour, rude
from tests.engine.pipeline import working
from tests.people import Person, registered
from tests.services.imap import MailServer
from tests.waiting import eventually
from webapp import create_app
from workers.polls import run_poll

WORKFLOWS, TRIGGERS, EXECUTIONS = "/api/v1/workflows", "/api/v1/triggers", "/api/v1/executions"
FINE = {"type": "TRANSFORM", "config": {"output": {"fine": True}}}


class Instance:
    """What one signed-in person sees of a running instance."""

    def __init__(self, client: FlaskClient, person: Person) -> None:
        self.client = client
        self._headers = person.headers

    def get(self, path: str) -> Any:
        answer = self.client.get(path, headers=self._headers)
        assert answer.status_code == 200, answer.text
        return answer.json

    def post(self, path: str, body: Any) -> Any:
        return self.client.post(path, json=body, headers=self._headers)

    def post_text(self, path: str, text: str) -> Any:
        return self.client.post(path, data=text, content_type="application/json", headers=self._headers)

    def create(self, path: str, body: Any) -> dict[str, Any]:
        answer = self.post(path, body)
        assert answer.status_code == 201, answer.text
        return dict(answer.json)

    def outcome(self, *actions: dict[str, Any], payload: Any = None) -> dict[str, Any]:
        """The execution of a new workflow with these actions, once it has ended."""
        workflow = self.create(WORKFLOWS, {"name": "w", "actions": list(actions)})
        started = self.post(f"{WORKFLOWS}/{workflow['id']}/run", payload or {})
        assert started.status_code == 202, started.text
        return eventually(lambda: self.ended(workflow["id"]))

    def trigger(self, id_: str) -> dict[str, Any]:
        return next(dict(one) for one in self.get(TRIGGERS) if one["id"] == id_)

    def ended(self, workflow_id: str) -> dict[str, Any] | None:
        page = self.get(f"{EXECUTIONS}?workflowId={workflow_id}")
        return next((row for row in page["content"] if row["finishedAt"]), None)


@pytest.fixture
def instance(backends: Backends) -> Instance:
    client = create_app(backends=backends).test_client(use_cookies=False)
    return Instance(client, registered(client, "ada"))


def call(url: str, **more: Any) -> dict[str, Any]:
    return {"type": "HTTP_REQUEST", "config": {"url": url}, "timeout": 1, "retry": {"attempts": 1}, **more}


class TestReceivers:
    @pytest.mark.parametrize(
        ("behaviour", "told"),
        [
            (rude_server.hangs, "127.0.0.1 did not answer in time"),
            (rude_server.drips_its_head, "127.0.0.1 did not answer in time"),
            (rude_server.drips_its_body, "127.0.0.1 did not answer in time"),
            (rude_server.declares_3_gb, "127.0.0.1 answers 3000000000 bytes; the limit is 52428800"),
            (rude_server.sends_without_end, "127.0.0.1 answers more than 52428800 bytes"),
            (rude_server.resets, "the connection to 127.0.0.1 failed"),
        ],
        ids=lambda value: getattr(value, "__name__", None),
    )
    def test_one_that_misbehaves(self, backends: Backends, instance: Instance, behaviour: Behaviour, told: str) -> None:
        with working(backends), rude(behaviour) as url:
            failed, next_one = instance.outcome(call(url, id="ask")), instance.outcome(FINE)
        assert failed["status"] == "FAILED"
        assert (failed["error"]["step"], failed["error"]["attempt"]) == ("ask", 1)
        assert failed["error"]["message"] == told
        assert next_one["status"] == "COMPLETED"

    @pytest.mark.parametrize(
        ("answer", "attempts", "told"),
        [
            ({"status": 500}, 2, "the receiver answered 500: no"),
            ({"status": 404}, 1, "the receiver answered 404: no"),
            (
                {"status": 302, "headers": {"Location": "http://10.0.0.1/"}},
                1,
                "the host '10.0.0.1' is not known, or is on a private network (ALLOW_PRIVATE_NETWORKS opens those)",
            ),
        ],
        ids=["500", "404", "redirect to a private address"],
    )
    def test_one_that_answers_badly(
        self,
        backends: Backends,
        instance: Instance,
        httpserver: HTTPServer,
        answer: dict[str, Any],
        attempts: int,
        told: str,
    ) -> None:
        httpserver.expect_request("/").respond_with_data("no", **answer)
        twice = {"attempts": 2, "delay": 0.05}
        with working(backends):
            failed = instance.outcome(call(httpserver.url_for("/"), retry=twice))
            next_one = instance.outcome(FINE)
        assert failed["status"] == "FAILED"
        assert failed["error"] == {"step": "step_0", "stepIndex": 0, "attempt": attempts, "message": told}
        assert next_one["status"] == "COMPLETED"


class TestExpressions:
    @pytest.mark.parametrize(
        ("expression", "told"),
        [
            ("{{ trigger.body.emial }}", "trigger.body has no 'emial'; did you mean 'email'?"),
            ("{{ trigger.body.email.domain }}", "trigger.body.email is text, so it has no 'domain'"),
            ("{{ trigger.body.email * 2 }}", "* needs a number, not text"),
            ("{{ trigger.body.email ~ trigger.body.tags.first }}", "trigger.body.tags is a list, so it has no 'first'"),
        ],
        ids=["a typing error", "too far", "wrong type", "no such field"],
    )
    def test_one_that_the_data_does_not_bear(
        self, backends: Backends, instance: Instance, expression: str, told: str
    ) -> None:
        step = {"id": "build", "type": "TRANSFORM", "config": {"output": {"to": expression}}}
        payload = {"body": {"email": "a@x.test", "tags": []}}
        with working(backends):
            failed, next_one = instance.outcome(step, payload=payload), instance.outcome(FINE)
        assert failed["error"]["message"] == f"step 'build', config.output.to: {told} (in {expression})"
        assert next_one["status"] == "COMPLETED"

    @pytest.mark.parametrize(
        ("expression", "told"),
        [
            ("{{ trigger.body. }}", "expected"),
            ("{{ trigger.body", "{{ has no }}"),
            ("{{ steps.fetsh.id }}", "there is no earlier step 'fetsh'; did you mean 'fetch'?"),
            ("{{ triger.body }}", "'triger' is not known; did you mean 'trigger'?"),
            ("{{ trigger.body | upcase }}", "there is no filter 'upcase'"),
            ("{{ open('/etc/passwd') }}", "cannot be used in an expression"),
        ],
        ids=["cut short", "not closed", "unknown step", "unknown root", "unknown filter", "a call"],
    )
    def test_one_that_is_wrong_in_itself_is_refused_when_it_is_saved(
        self, instance: Instance, expression: str, told: str
    ) -> None:
        step = {"type": "TRANSFORM", "config": {"output": {"to": expression}}}
        refused = instance.post(WORKFLOWS, {"name": "w", "actions": [{**FINE, "id": "fetch"}, step]})
        assert refused.status_code == 400
        [problem] = refused.json["details"]
        assert problem["pointer"] == "/actions/1/config/output/to"
        assert told in problem["message"]


class TestTriggers:
    @pytest.mark.parametrize(
        ("configuration", "told"),
        [
            ({"cron": "0 0 30 2 *"}, "is not a cron expression that can fire"),
            ({"cron": "every day"}, "must have five fields: minute, hour, day of month, month, day of week"),
            ({"cron": "0 8 * * *", "timeZone": "Mars/Olympus"}, "time zone"),
        ],
        ids=["never", "no cron", "no zone"],
    )
    def test_a_schedule_that_fires_never(self, instance: Instance, configuration: dict[str, Any], told: str) -> None:
        workflow = instance.create(WORKFLOWS, {"name": "w", "actions": []})
        wanted = {"workflowId": workflow["id"], "triggerType": "scheduler", "configuration": configuration}
        refused = instance.post(TRIGGERS, wanted)
        assert refused.status_code == 400
        [problem] = refused.json["details"]
        assert problem["pointer"] == f"/configuration/{list(configuration)[-1]}"
        assert told in problem["message"]

    def test_a_schedule_that_became_unreadable(self, backends: Backends, instance: Instance) -> None:
        """Such as one that another implementation wrote: nobody was there to refuse it."""
        workflow = instance.create(WORKFLOWS, {"name": "w", "actions": []})
        wanted = {"workflowId": workflow["id"], "triggerType": "scheduler", "configuration": {"intervalMinutes": 5}}
        bad, good = (instance.create(TRIGGERS, wanted)["id"] for _ in range(2))
        with backends.engine.begin() as connection:
            table = TriggerRegistration
            connection.execute(update(table).values(next_scheduled_at=datetime.now(UTC)))
            broken = update(table).where(table.id == UUID(bad)).values(configuration={"cron": "0 0 30 2 *"})
            connection.execute(broken)
        assert fire_due(backends) == 1
        told = instance.trigger(bad)["health"]["lastError"]
        assert told == "/cron: is not a cron expression that can fire: bad day-of-month"
        assert instance.trigger(good)["health"]["lastError"] is None

    def test_a_mailbox_with_a_wrong_password(self, backends: Backends, instance: Instance, imap: MailServer) -> None:
        workflow = instance.create(WORKFLOWS, {"name": "w", "actions": [FINE]})
        mailboxes = [
            instance.create(
                TRIGGERS,
                {
                    "workflowId": workflow["id"],
                    "triggerType": "email",
                    "configuration": imap.config(password=password),
                },
            )["id"]
            for password in ("wr0ng-password", imap.config()["password"])
        ]
        for mailbox in mailboxes:
            run_poll(backends, UUID(mailbox))
        refused, served = (instance.trigger(mailbox)["health"] for mailbox in mailboxes)
        where = f"{imap.host}:{imap.port}"
        assert refused["lastError"].startswith(f"{where} refuses user '{imap.config()['username']}'")
        assert "wr0ng-password" not in str(refused)
        assert (served["lastError"], served["lastSuccessAt"] is None) == (None, False)


class TestBodies:
    @pytest.mark.parametrize("path", [WORKFLOWS, TRIGGERS])
    @pytest.mark.parametrize("text", ["{", '{"name": }', "\x00", "", "[1, 2]", '"text"', "NaN"])
    def test_what_is_no_json_object_is_refused(self, instance: Instance, path: str, text: str) -> None:
        refused = instance.post_text(path, text)
        assert refused.status_code == 400
        assert "JSON" in refused.json["message"] or "object" in refused.json["message"]

    @pytest.mark.parametrize(
        ("body", "pointer"),
        [
            ({"name": 7, "actions": []}, "/name"),
            ({"name": "w", "actions": {}}, "/actions"),
            ({"name": "w", "actions": ["x"]}, "/actions/0"),
            ({"name": "w", "actions": [{"type": 7, "config": {}}]}, "/actions/0/type"),
            ({"name": "w", "actions": [{"type": "TRANSFORM", "config": []}]}, "/actions/0/config"),
            ({"name": "w", "actions": [{**FINE, "timeout": "soon"}]}, "/actions/0/timeout"),
            ({"name": "w", "actions": [{**FINE, "retry": {"attempts": "x"}}]}, "/actions/0/retry/attempts"),
            ({"name": "w", "actions": [call("")]}, "/actions/0/config/url"),
            ({"name": "w", "enabled": "perhaps", "actions": []}, "/enabled"),
        ],
        ids=lambda value: value if isinstance(value, str) else "",
    )
    def test_wrong_types_are_named_by_their_field(self, instance: Instance, body: Any, pointer: str) -> None:
        refused = instance.post(WORKFLOWS, body)
        assert refused.status_code == 400
        assert [problem["pointer"] for problem in refused.json["details"]] == [pointer]
        assert refused.json["details"][0]["message"]

    def test_a_webhook_that_announces_json_and_sends_none(self, backends: Backends, instance: Instance) -> None:
        hook = {"type": "webhook", "config": {}}
        workflow = instance.create(WORKFLOWS, {"name": "w", "trigger": hook, "actions": [FINE]})
        [trigger] = instance.get(f"{TRIGGERS}/workflow/{workflow['id']}")
        path = "/webhook/" + trigger["webhookUrl"].rsplit("/", 1)[1]
        with working(backends):
            refused, taken = (
                instance.client.post(path, data=data, content_type="application/json") for data in (b"{", b"{}")
            )
            done = eventually(lambda: instance.ended(workflow["id"]))
        assert (refused.status_code, taken.status_code) == (400, 200)
        assert refused.json["message"].startswith("the body is not JSON")
        assert done["status"] == "COMPLETED"
