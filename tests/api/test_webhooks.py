"""The public intake: what a call is answered, and what it leaves behind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, event

from flowforge.db.tables import TriggerRegistration
from flowforge.events import TRIGGER_EVENTS, TriggerEvent
from flowforge.wiring import Backends
from tests.api.test_triggers import lay_back
from tests.api.things import TRIGGERS, accepted_events, stored_trigger, trigger
from tests.people import Person
from tests.statements import counting_statements
from webapp import create_app
from webapp.intake import known_tokens
from webapp.intake.known_tokens import MOST_UNKNOWN


def announced(backends: Backends) -> list[TriggerEvent]:
    """What a consumer of the topic would read by now."""
    subscription = backends.bus.subscribe([TRIGGER_EVENTS], "test", "reader")
    try:
        return [TriggerEvent.decode(one.value) for one in subscription.poll(100, 0.2)]
    finally:
        subscription.close()


class TestACall:
    @pytest.mark.parametrize("method", ["POST", "GET"])
    def test_is_accepted(
        self, client: FlaskClient, hook: dict[str, Any], address: str, engine: Engine, method: str
    ) -> None:
        answer = client.open(address, method=method)

        (event,) = accepted_events(engine)
        assert answer.status_code == 200
        assert answer.json == {
            "success": True,
            "message": "Webhook received",
            "triggerId": hook["id"],
            "eventId": str(event.id),
        }
        assert str(event.trigger_id) == hook["id"]
        assert str(event.workflow_id) == hook["workflowId"]
        assert (event.trigger_type, event.handled_at) == ("webhook", None)

    def test_needs_no_token_and_ignores_a_stale_one(self, client: FlaskClient, address: str, engine: Engine) -> None:
        assert client.post(address, headers={"Authorization": "Bearer stale"}).status_code == 200
        assert len(accepted_events(engine)) == 1

    def test_leaves_everything_it_said(self, client: FlaskClient, address: str, engine: Engine) -> None:
        client.post(
            f"{address}?src=shop&tag=a&tag=b",
            json={"order": 17},
            headers={"X-One": "1", "X-Title": "Backup ✅".encode().decode("latin-1")},
        )

        (event,) = accepted_events(engine)
        payload = event.payload
        assert set(payload) == {"body", "headers", "queryParams", "method", "remoteAddress"}
        assert payload["body"] == {"order": 17}
        assert payload["queryParams"] == {"src": "shop", "tag": ["a", "b"]}
        assert payload["headers"]["content-type"] == "application/json"
        assert payload["headers"]["x-one"] == "1"
        assert payload["headers"]["x-title"] == "Backup ✅"
        assert (payload["method"], payload["remoteAddress"]) == ("POST", "127.0.0.1")
        assert set(event.metadata_) == {"source", "receivedAt", "remoteAddress", "method"}
        assert event.metadata_["source"] == "webhook"

    @pytest.mark.parametrize(
        "name",
        [
            "Authorization",
            "Cookie",
            "Proxy-Authorization",
            "X-Hub-Signature-256",
            "Stripe-Signature",
            "X-Gitlab-Token",
            "X-Api-Key",
            "X-Webhook-Secret",
        ],
    )
    def test_leaves_no_secret_header(self, client: FlaskClient, address: str, engine: Engine, name: str) -> None:
        client.post(address, headers={name: "hush-hush"})

        (event,) = accepted_events(engine)
        assert event.payload["headers"][name.lower()] == "[redacted]"
        assert "hush-hush" not in str(event.payload)

    @pytest.mark.parametrize("name", ["token", "access_token", "api_key", "apiKey", "sig", "password", "user[token]"])
    def test_leaves_no_secret_parameter(self, client: FlaskClient, address: str, engine: Engine, name: str) -> None:
        said = f"{name}=hush-hush&page_token=p2&tag=a&tag=b"
        client.get(f"{address}?{said}", headers={"Referer": f"https://ada:hush-hush@x.test/?{said}"})

        (event,) = accepted_events(engine)
        assert event.payload["queryParams"] == {name: "[redacted]", "page_token": "p2", "tag": ["a", "b"]}
        assert event.payload["headers"]["referer"].startswith("https://ada:[redacted]@x.test/")
        assert "hush-hush" not in str(event.payload)

    @pytest.mark.parametrize(
        ("query", "kept"),
        [("a=%00", {"a": "\ufffd"}), ("a%00=1", {"a\ufffd": "1"}), ("a=%00&a=b%00", {"a": ["\ufffd", "b\ufffd"]})],
    )
    def test_keeps_nul_in_its_query_as_in_its_body(
        self, client: FlaskClient, address: str, engine: Engine, query: str, kept: dict[str, Any]
    ) -> None:
        assert client.get(f"{address}?{query}").status_code == 200
        assert accepted_events(engine)[0].payload["queryParams"] == kept

    def test_a_client_cannot_say_where_it_comes_from(self, client: FlaskClient, address: str, engine: Engine) -> None:
        client.post(address, headers={"X-Forwarded-For": "203.0.113.9"})

        assert accepted_events(engine)[0].payload["remoteAddress"] == "127.0.0.1"

    def test_a_trusted_proxy_can(self, backends: Backends, engine: Engine, address: str) -> None:
        backends.settings.trusted_proxies = 1
        behind_a_proxy = create_app(backends=backends).test_client()

        behind_a_proxy.post(address, headers={"X-Forwarded-For": "198.51.100.1, 203.0.113.9"})

        assert accepted_events(engine)[0].payload["remoteAddress"] == "203.0.113.9"

    def test_is_announced(self, client: FlaskClient, hook: dict[str, Any], address: str, backends: Backends) -> None:
        answer = client.post(address, json={"order": 17}).json

        (message,) = announced(backends)
        assert str(message.event_id) == answer["eventId"]
        assert str(message.workflow_id) == hook["workflowId"] == message.key
        assert message.payload["body"] == {"order": 17}
        assert message.by_reference is None

    def test_of_large_size_is_announced_by_reference(
        self, client: FlaskClient, address: str, backends: Backends, engine: Engine
    ) -> None:
        client.post(address, json={"order": "x" * backends.settings.payload_inline_limit})

        (message,) = announced(backends)
        (event,) = accepted_events(engine)
        assert (message.payload, message.by_reference) == ({}, True)
        assert len(event.payload["body"]["order"]) == backends.settings.payload_inline_limit


class TestWhatFiresNothing:
    def test_an_unknown_token(self, client: FlaskClient, engine: Engine) -> None:
        for token in ("nobody", "a/b", "%00", "a%00b", "x" * 4000, "%F0%9F%98%80", "%FF"):
            for method in ("POST", "GET"):
                answer = client.open(f"/webhook/{token}", method=method)
                assert answer.status_code == 404
                assert answer.json == {"success": False, "error": "Invalid webhook token"}
        assert accepted_events(engine) == []

    @pytest.mark.parametrize("body", [b"{broken", b"1" * 2_000_000], ids=["broken", "too large"])
    def test_what_is_sent_to_an_unknown_token_is_not_read(self, client: FlaskClient, body: bytes) -> None:
        assert client.post("/webhook/nobody", data=body, content_type="application/json").status_code == 404

    @pytest.mark.parametrize("path", ["webhook", "forms"])
    def test_only_so_many_unknown_tokens_are_looked_up(self, client: FlaskClient, address: str, path: str) -> None:
        known_tokens.install(client.application, clock=lambda: 0.0)  # however long the calls take, none is forgiven
        client.post(address)
        statuses = [client.get(f"/{path}/nobody-{number}").status_code for number in range(MOST_UNKNOWN + 1)]
        refused = client.get(f"/{path}/nobody")

        assert set(statuses[:-1]) == {404}
        assert (refused.status_code, statuses[-1]) == (429, 429)
        assert int(refused.headers["Retry-After"]) >= 1
        assert client.post(address).status_code == 200
        elsewhere = client.get(f"/{path}/nobody", environ_base={"REMOTE_ADDR": "192.0.2.7"})
        assert elsewhere.status_code == 404

    def test_a_deleted_trigger_that_was_called_before(
        self, client: FlaskClient, owner: Person, hook: dict[str, Any], address: str, engine: Engine
    ) -> None:
        client.post(address)
        client.delete(f"{TRIGGERS}/{hook['id']}", headers=owner.headers)

        assert [client.post(address).status_code for _ in range(2)] == [404, 404]
        assert len(accepted_events(engine)) == 1

    def test_a_deleted_trigger(
        self, client: FlaskClient, owner: Person, hook: dict[str, Any], address: str, engine: Engine
    ) -> None:
        client.delete(f"{TRIGGERS}/{hook['id']}", headers=owner.headers)

        assert client.post(address).status_code == 404
        assert accepted_events(engine) == []

    def test_a_disabled_trigger(
        self, client: FlaskClient, owner: Person, hook: dict[str, Any], address: str, engine: Engine
    ) -> None:
        client.put(f"{TRIGGERS}/{hook['id']}", json={"enabled": False}, headers=owner.headers)

        answer = client.post(address)

        assert answer.status_code == 200
        assert answer.json["success"] is True
        assert answer.json["ignored"] is True
        assert answer.json["triggerId"] == hook["id"]
        assert "eventId" not in answer.json
        assert accepted_events(engine) == []
        assert stored_trigger(engine, hook["id"]).last_triggered_at is None

    @pytest.mark.parametrize("method", ["HEAD", "OPTIONS"])
    def test_asking(self, client: FlaskClient, address: str, engine: Engine, method: str) -> None:
        answer = client.open(address, method=method)

        assert (answer.status_code, answer.data) == (200, b"")
        assert accepted_events(engine) == []

    def test_asking_for_what_is_not_there(self, client: FlaskClient) -> None:
        assert client.head("/webhook/nobody").status_code == 404

    @pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
    def test_other_methods(self, client: FlaskClient, address: str, engine: Engine, method: str) -> None:
        assert client.open(address, method=method).status_code == 405
        assert accepted_events(engine) == []

    def test_the_token_of_another_type(self, client: FlaskClient, hook: dict[str, Any], engine: Engine) -> None:
        lay_back(engine, hook["id"], trigger_type="scheduler")

        assert client.post(f"/webhook/{hook['webhookToken']}").status_code == 404


class TestAdoptedHooks:
    @pytest.mark.parametrize("token", ["demo-token", "with/slash", "Ünïcode", "spaces too"])
    def test_any_text_is_a_token(self, client: FlaskClient, hook: dict[str, Any], engine: Engine, token: str) -> None:
        lay_back(engine, hook["id"], webhook_token=token)

        assert client.post(f"/webhook/{token}").json["triggerId"] == hook["id"]

    def test_the_type_may_be_in_any_case(
        self, client: FlaskClient, hook: dict[str, Any], address: str, engine: Engine
    ) -> None:
        lay_back(engine, hook["id"], trigger_type="WEBHOOK")

        assert client.post(address).status_code == 200
        assert accepted_events(engine)[0].trigger_type == "webhook"


class TestIdempotencyKeys:
    def test_a_repeat_gets_the_first_answer_and_starts_nothing(
        self, client: FlaskClient, address: str, engine: Engine, backends: Backends
    ) -> None:
        first = client.post(address, json={"n": 1}, headers={"Idempotency-Key": "k"})
        again = client.post(address, json={"n": 1}, headers={"Idempotency-Key": "k"})

        (event,) = accepted_events(engine)
        assert again.json == first.json
        assert event.payload["body"] == {"n": 1}
        assert len(announced(backends)) == 1

    def test_a_key_with_another_body_is_refused(self, client: FlaskClient, address: str, engine: Engine) -> None:
        client.post(address, json={"n": 1}, headers={"Idempotency-Key": "k"})
        other = client.post(address, json={"n": 2}, headers={"Idempotency-Key": "k"})

        assert (other.status_code, len(accepted_events(engine))) == (409, 1)
        assert "another body" in other.json["message"]

    def test_another_key_is_another_event(self, client: FlaskClient, address: str, engine: Engine) -> None:
        for key in ("a", "b"):
            client.post(address, headers={"Idempotency-Key": key})

        assert len(accepted_events(engine)) == 2

    def test_without_a_key_every_call_counts(self, client: FlaskClient, address: str, engine: Engine) -> None:
        client.post(address)
        client.post(address)

        assert len(accepted_events(engine)) == 2

    def test_a_key_belongs_to_its_trigger(
        self, client: FlaskClient, owner: Person, address: str, hook: dict[str, Any], engine: Engine
    ) -> None:
        other = trigger(client, owner, hook["workflowId"])

        client.post(address, headers={"Idempotency-Key": "k"})
        client.post(f"/webhook/{other['webhookToken']}", headers={"Idempotency-Key": "k"})

        assert len(accepted_events(engine)) == 2

    def test_a_repeat_is_answered_alike_when_the_trigger_is_off_by_then(
        self, client: FlaskClient, address: str, hook: dict[str, Any], engine: Engine
    ) -> None:
        first = client.post(address, headers={"Idempotency-Key": "k"})
        lay_back(engine, hook["id"], enabled=False)

        assert client.post(address, headers={"Idempotency-Key": "k"}).json == first.json

    @pytest.mark.parametrize("key", ["", "x" * 256, "a\tb"])
    def test_a_key_that_cannot_be_kept_is_refused(
        self, client: FlaskClient, address: str, engine: Engine, key: str
    ) -> None:
        answer = client.post(address, headers={"Idempotency-Key": key})

        assert answer.status_code == 400
        assert answer.json["details"][0]["pointer"] == "/headers/Idempotency-Key"
        assert accepted_events(engine) == []


@contextmanager
def transaction_ends(engine: Engine) -> Iterator[list[str]]:
    seen: list[str] = []

    def note(_connection: Any) -> None:
        seen.append("commit")

    event.listen(engine, "commit", note)
    try:
        yield seen
    finally:
        event.remove(engine, "commit", note)


def redis_calls(backends: Backends) -> Counter[str]:
    """How often each command was called so far; what asks for that is not counted."""
    stats: Any = backends.redis.info("commandstats")
    calls = {name.removeprefix("cmdstat_"): int(figures["calls"]) for name, figures in stats.items()}
    return Counter({name: count for name, count in calls.items() if name != "info"})


class TestTheHotPath:
    def test_asks_the_database_once(self, client: FlaskClient, address: str, backends: Backends) -> None:
        client.post(address)  # connects
        with counting_statements(backends.engine) as statements:
            client.post(address, json={"order": 17}, headers={"Idempotency-Key": "k"})

        assert len(statements) == 1

    def test_tells_the_bus_once_and_asks_redis_nothing_else(
        self, client: FlaskClient, address: str, backends: Backends
    ) -> None:
        client.post(address)
        before = redis_calls(backends)
        client.post(address, json={"order": 17}, headers={"Idempotency-Key": "k"})

        assert redis_calls(backends) - before == Counter(xadd=1)

    def test_the_message_carries_what_is_stored(
        self, client: FlaskClient, address: str, backends: Backends, engine: Engine
    ) -> None:
        sent = b'{"b": "a\\u0000b", "a": 123456789012345678901234567890, "c": 1.10}'
        client.post(address, data=sent, content_type="application/json")

        entry: Any = backends.redis.xrevrange(f"flowforge:{TRIGGER_EVENTS}", count=1)[0]
        told, [stored] = TriggerEvent.decode(entry[1][b"v"]), accepted_events(engine)
        assert told.payload["body"] == {"b": "a\ufffdb", "a": 123456789012345678901234567890, "c": 1.1}
        assert told.payload["body"] == stored.payload["body"]
        assert list(told.payload["body"]) == ["b", "a", "c"]
        assert told.metadata == stored.metadata_

    def test_the_answer_depends_on_neither_cookie_nor_encoding(self, client: FlaskClient, address: str) -> None:
        """So nobody looks for a session, or compresses."""
        answer = client.post(address, headers={"Cookie": "a=b", "Accept-Encoding": "br"})

        assert "Vary" not in answer.headers

    def test_commits_without_being_told(self, client: FlaskClient, address: str, backends: Backends) -> None:
        """BEGIN and COMMIT would be two round trips more."""
        counted = "SELECT count(*) FROM trigger_service.trigger_events"
        client.post(address)
        with backends.engine.connect() as watching, transaction_ends(backends.engine) as ends:
            client.post(address)
            after = watching.exec_driver_sql(counted).scalar_one()

        assert after == 2
        assert "commit" not in ends

    def test_writes_nothing_to_the_trigger(
        self, client: FlaskClient, address: str, hook: dict[str, Any], engine: Engine
    ) -> None:
        """Else all calls of one busy trigger would wait for each other."""
        with engine.begin() as holding:
            holding.execute(
                TriggerRegistration.__table__.update()
                .where(TriggerRegistration.id == UUID(hook["id"]))
                .values(configuration={"held": True})
            )
            assert client.post(address).status_code == 200


@contextmanager
def elsewhere(backends: Backends, **settings: Any) -> Iterator[FlaskClient]:
    """The application, with a server that is not there."""
    lost = Backends(backends.settings.model_copy(update=settings), "lost", bus_patience=0.1)
    try:
        yield create_app(backends=lost).test_client()
    finally:
        lost.close()


class TestWhatIsDown:
    def test_without_the_database_nothing_is_promised(
        self, client: FlaskClient, address: str, backends: Backends
    ) -> None:
        with elsewhere(backends, postgres_url_setting="postgresql://nobody@127.0.0.1:1/nothing") as lost:
            answer = lost.post(address)

        assert answer.status_code == 503
        assert answer.headers["Retry-After"]
        assert answer.json["status"] == 503

    def test_what_cannot_be_stored_is_not_promised(self, client: FlaskClient, address: str, engine: Engine) -> None:
        with engine.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE trigger_service.trigger_events ADD CHECK (false) NOT VALID")

        assert client.post(address).status_code == 500
        assert accepted_events(engine) == []

    def test_without_the_bus_the_promise_holds(
        self, client: FlaskClient, address: str, backends: Backends, engine: Engine
    ) -> None:
        with elsewhere(backends, redis_url="redis://127.0.0.1:1/0") as lost:
            answer = lost.post(address)

        (event,) = accepted_events(engine)
        assert answer.status_code == 200
        assert answer.json["eventId"] == str(event.id)
        assert event.handled_at is None

    def test_with_a_bus_that_is_full_the_promise_holds(
        self, client: FlaskClient, address: str, backends: Backends, engine: Engine
    ) -> None:
        before: Any = backends.redis.config_get("maxmemory")
        backends.redis.config_set("maxmemory", 1)
        try:
            answer = client.post(address)
        finally:
            backends.redis.config_set("maxmemory", before["maxmemory"])

        (event,) = accepted_events(engine)
        assert (answer.status_code, answer.json["eventId"]) == (200, str(event.id))
        assert event.handled_at is None

    def test_without_kafka_nobody_waits_for_it_again(
        self, client: FlaskClient, address: str, backends: Backends, engine: Engine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked: list[Any] = []
        over = Event()

        def no_answer(**options: Any) -> None:
            asked.append(options)
            over.wait(60)
            raise ConnectionRefusedError

        monkeypatch.setattr("flowforge.bus.kafka_python.KafkaProducer", no_answer)
        with elsewhere(backends, kafka_brokers=["127.0.0.1:1"]) as lost:
            answers = [lost.post(address).status_code for _ in range(5)]
            assert not over.is_set()
            over.set()

        assert answers == [200] * 5
        assert len(accepted_events(engine)) == 5
        assert len(asked) == 1
