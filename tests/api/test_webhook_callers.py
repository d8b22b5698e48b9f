"""Who may call a webhook, and how often."""

from __future__ import annotations

import hmac
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine

from flowforge.wiring import Backends
from tests.api.test_triggers import lay_back
from tests.api.things import TRIGGERS, WORKFLOWS, accepted_events, stored_trigger, trigger, workflow
from tests.people import Person
from tests.statements import counting_statements
from webapp import create_app
from webapp.intake.calls import Calls

SECRET = "quite a long secret"
BODY = b'{"order":17}'
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def hook(client: FlaskClient, owner: Person) -> dict[str, Any]:
    """Demands a signature."""
    return trigger(client, owner, workflow(client, owner)["id"], configuration={"secret": SECRET})


def signature(body: bytes = BODY, secret: str = SECRET) -> str:
    return "sha256=" + hmac.digest(secret.encode(), body, "sha256").hex()


def signed(body: bytes = BODY, name: str = "X-Hub-Signature-256") -> dict[str, str]:
    return {**JSON, name: signature(body)}


class TestASecret:
    def test_is_sealed_and_never_shown(
        self, client: FlaskClient, owner: Person, hook: dict[str, Any], engine: Engine
    ) -> None:
        assert hook["configuration"] == {"secret": "********"}
        shown = client.get(TRIGGERS, headers=owner.headers)
        assert SECRET not in shown.text
        assert stored_trigger(engine, hook["id"]).configuration["secret"].startswith("enc:v1:")

    @pytest.mark.parametrize("name", ["X-Hub-Signature-256", "X-Signature-256"])
    def test_lets_who_knows_it_call(self, client: FlaskClient, address: str, engine: Engine, name: str) -> None:
        answer = client.post(address, data=BODY, headers=signed(name=name))

        (event,) = accepted_events(engine)
        assert (answer.status_code, answer.json["eventId"]) == (200, str(event.id))
        assert event.payload["body"] == {"order": 17}
        assert SECRET not in str(event.payload)
        assert signature() not in str(event.payload)

    def test_may_sign_in_hexadecimal_alone(self, client: FlaskClient, address: str) -> None:
        bare = signature().removeprefix("sha256=").upper()
        assert client.post(address, data=BODY, headers={**JSON, "X-Signature-256": bare}).status_code == 200

    def test_signs_forms_as_they_are_sent(self, client: FlaskClient, address: str, engine: Engine) -> None:
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = client.post(address, data=b"a=1&b=2", headers=signed(b"a=1&b=2") | form)

        assert answer.status_code == 200
        assert accepted_events(engine)[0].payload["body"] == {"a": "1", "b": "2"}

    @pytest.mark.parametrize(
        "given",
        [
            {},
            {"X-Hub-Signature-256": ""},
            {"X-Hub-Signature-256": "sha256="},
            {"X-Hub-Signature-256": signature(b"{}")},
            {"X-Hub-Signature-256": signature(secret="another secret")},
            {"X-Hub-Signature": signature()},
            {"X-Hub-Signature-256": "Ünïcode"},
            {"Authorization": f"Bearer {SECRET}"},
        ],
    )
    def test_keeps_everybody_else_out(
        self, client: FlaskClient, address: str, engine: Engine, given: dict[str, str]
    ) -> None:
        answer = client.post(address, data=BODY, headers=JSON | given)

        assert (answer.status_code, answer.json["status"]) == (401, 401)
        assert accepted_events(engine) == []

    def test_takes_no_get(self, client: FlaskClient, address: str, engine: Engine) -> None:
        assert client.get(address, headers=signed(b"")).status_code == 401
        assert accepted_events(engine) == []

    def test_is_asked_for_before_a_repeat_is_answered(self, client: FlaskClient, address: str) -> None:
        key = {"Idempotency-Key": "k"}
        first = client.post(address, data=BODY, headers=signed() | key)
        assert client.post(address, data=BODY, headers=JSON | key).status_code == 401
        assert client.post(address, data=BODY, headers=signed() | key).json == first.json

    def test_is_asked_for_while_the_trigger_is_off(
        self, client: FlaskClient, address: str, hook: dict[str, Any], engine: Engine
    ) -> None:
        lay_back(engine, hook["id"], enabled=False)
        assert client.post(address, data=BODY, headers=JSON).status_code == 401
        assert client.post(address, data=BODY, headers=signed()).json["ignored"] is True

    def test_is_kept_by_its_mask_and_ended_without_it(
        self, client: FlaskClient, owner: Person, hook: dict[str, Any], address: str
    ) -> None:
        place = f"{TRIGGERS}/{hook['id']}"
        client.put(place, json={"configuration": hook["configuration"]}, headers=owner.headers)
        assert client.post(address, data=BODY, headers=JSON).status_code == 401
        assert client.post(address, data=BODY, headers=signed()).status_code == 200
        client.put(place, json={"configuration": {}}, headers=owner.headers)
        assert client.post(address, data=BODY, headers=JSON).status_code == 200

    def test_may_stand_in_the_workflow(self, client: FlaskClient, owner: Person, engine: Engine) -> None:
        made = workflow(client, owner, trigger={"type": "webhook", "config": {"secret": SECRET}})
        (hook,) = client.get(f"{TRIGGERS}/workflow/{made['id']}", headers=owner.headers).json
        address = f"/webhook/{hook['webhookToken']}"

        assert client.post(address, data=BODY, headers=JSON).status_code == 401
        assert client.post(address, data=BODY, headers=signed()).status_code == 200
        assert SECRET not in client.get(f"{WORKFLOWS}/{made['id']}", headers=owner.headers).text

    @pytest.mark.parametrize("secret", ["short", 12345678, {"a": "long enough it is"}, ["long enough it is"]])
    def test_that_is_none_is_refused(self, client: FlaskClient, owner: Person, secret: Any) -> None:
        wanted = {"workflowId": workflow(client, owner)["id"], "triggerType": "webhook"}
        answer = client.post(TRIGGERS, json={**wanted, "configuration": {"secret": secret}}, headers=owner.headers)

        assert answer.status_code == 400
        assert [problem["pointer"] for problem in answer.json["details"]] == ["/configuration/secret"]

    def test_of_an_adopted_trigger_means_nothing(
        self, client: FlaskClient, hook: dict[str, Any], address: str, engine: Engine
    ) -> None:
        lay_back(engine, hook["id"], configuration={"secret": "for something else"})
        assert client.post(address, data=BODY, headers=JSON).status_code == 200

    def test_costs_the_database_no_question(self, client: FlaskClient, address: str, backends: Backends) -> None:
        client.post(address, data=BODY, headers=signed())
        another = b'{"order": 18}'
        with counting_statements(backends.engine) as statements:
            client.post(address, data=another, headers=signed(another))
        assert len(statements) == 1

    @pytest.mark.parametrize(
        ("body", "content_type"),
        [
            (b'{"order":', "application/json"),
            (b"x", "multipart/form-data"),
            (b"[" * 100_000 + b"]" * 100_000, "application/json"),
        ],
    )
    def test_is_asked_for_before_the_body_is_parsed(
        self, client: FlaskClient, address: str, body: bytes, content_type: str
    ) -> None:
        unsigned = client.post(address, data=body, content_type=content_type)
        proven = client.post(address, data=body, headers=signed(body), content_type=content_type)

        assert (unsigned.status_code, proven.status_code) == (401, 400)

    def test_that_is_changed_counts_at_once_in_every_process(
        self, client: FlaskClient, owner: Person, hook: dict[str, Any], address: str, backends: Backends
    ) -> None:
        other = create_app(backends=backends).test_client()
        assert other.post(address, data=BODY, headers=signed()).status_code == 200

        place = f"{TRIGGERS}/{hook['id']}"
        client.put(place, json={"configuration": {"secret": "another long secret"}}, headers=owner.headers)
        renewed = JSON | {"X-Signature-256": signature(secret="another long secret")}
        assert other.post(address, data=BODY, headers=signed()).status_code == 401
        assert other.post(address, data=BODY, headers=renewed).status_code == 200

        client.put(place, json={"configuration": {}}, headers=owner.headers)
        assert other.post(address, data=BODY, headers=JSON).status_code == 200
        client.put(place, json={"configuration": {"secret": SECRET}}, headers=owner.headers)
        assert other.post(address, data=BODY, headers=JSON).status_code == 401

    def test_makes_a_call_that_was_recorded_start_nothing(
        self, client: FlaskClient, address: str, engine: Engine
    ) -> None:
        first = client.post(address, data=BODY, headers=signed())
        replayed = signed() | {"X-Role": "admin", "Idempotency-Key": "chosen"}
        again = client.post(f"{address}?amount=1000000", data=BODY, headers=replayed)

        assert again.json == first.json
        assert len(accepted_events(engine)) == 1

    def test_lets_bodies_count_again_where_the_trigger_says_so(
        self, client: FlaskClient, owner: Person, address: str, hook: dict[str, Any], engine: Engine
    ) -> None:
        config = {"secret": "********", "sameBodyAgain": True}
        client.put(f"{TRIGGERS}/{hook['id']}", json={"configuration": config}, headers=owner.headers)
        for _ in range(2):
            client.post(address, data=BODY, headers=signed())

        assert len(accepted_events(engine)) == 2


class TestALimit:
    @pytest.fixture
    def narrow(self, backends: Backends) -> FlaskClient:
        """Three calls an hour."""
        backends.settings.webhook_rate_limit = "3/hour"
        return create_app(backends=backends).test_client()

    @pytest.fixture
    def hook(self, client: FlaskClient, owner: Person) -> dict[str, Any]:
        return trigger(client, owner, workflow(client, owner)["id"])

    def test_answers_429_and_says_when_to_come_again(
        self, narrow: FlaskClient, address: str, engine: Engine, backends: Backends
    ) -> None:
        assert [narrow.post(address).status_code for _ in range(3)] == [200] * 3
        with counting_statements(backends.engine) as statements:
            answer = narrow.post(address)

        assert (answer.status_code, answer.json["status"], answer.json["path"]) == (429, 429, address)
        assert 0 < int(answer.headers["Retry-After"]) <= 1200
        assert len(accepted_events(engine)) == 3
        assert statements == []

    def test_is_each_webhooks_own(
        self, narrow: FlaskClient, client: FlaskClient, owner: Person, hook: dict[str, Any], address: str
    ) -> None:
        other = trigger(client, owner, hook["workflowId"])
        for _ in range(3):
            narrow.post(address)
        assert narrow.post(f"/webhook/{other['webhookToken']}").status_code == 200

    def test_is_not_used_up_by_strangers(
        self, narrow: FlaskClient, client: FlaskClient, owner: Person, hook: dict[str, Any]
    ) -> None:
        """Neither by those who cannot sign, nor by those who guess."""
        guarded = trigger(client, owner, hook["workflowId"], configuration={"secret": SECRET})
        address = f"/webhook/{guarded['webhookToken']}"
        assert [narrow.post(address).status_code for _ in range(5)] == [401] * 5
        assert [narrow.post("/webhook/nobody").status_code for _ in range(5)] == [404] * 5
        assert narrow.post(address, data=BODY, headers=signed()).status_code == 200

    def test_of_one_account_is_not_used_up_by_another(
        self, narrow: FlaskClient, client: FlaskClient, owner: Person, stranger: Person
    ) -> None:
        """All webhooks of an account together are called three times as often as one may be."""
        greedy = workflow(client, owner)["id"]
        addresses = [f"/webhook/{trigger(client, owner, greedy)['webhookToken']}" for _ in range(4)]
        modest = trigger(client, stranger, workflow(client, stranger)["id"])
        assert [narrow.post(address).status_code for address in addresses[:3] * 3] == [200] * 9
        assert [narrow.post(addresses[3]).status_code for _ in range(2)] == [200, 429]
        assert narrow.post(f"/webhook/{modest['webhookToken']}").status_code == 200

    def test_may_be_off(self, backends: Backends, address: str) -> None:
        backends.settings.webhook_rate_limit = "off"
        free = create_app(backends=backends).test_client()
        assert free.post(address).status_code == 200

    def test_that_is_none_is_told_at_the_start(self, backends: Backends) -> None:
        backends.settings.webhook_rate_limit = "often"
        with pytest.raises(ValueError, match="often"):
            create_app(backends=backends)


class TestBuckets:
    def test_fill_again_with_time(self) -> None:
        now = [0.0]
        calls = Calls(2, 60, lambda: now[0])
        for _ in range(2):
            assert calls.wait("t") == 0
            calls.count("t")
        assert calls.wait("t") == 30
        now[0] = 30
        assert calls.wait("t") == 0
        calls.count("t")
        assert calls.wait("t") == 30
        now[0] = 1_000_000
        for _ in range(2):
            assert calls.wait("t") == 0
            calls.count("t")
        assert calls.wait("t") == 30

    def test_are_forgotten_when_they_are_full_again(self) -> None:
        now = [0.0]
        calls = Calls(2, 60, lambda: now[0])
        for number in range(10_000):
            calls.count(str(number))
        now[0] = 60
        calls.count("one more")
        assert len(calls._levels) == 1
