"""JSON in the API as programs really send it: what comes in is what is shown."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine

from flowforge import jsonio
from flowforge.field_order import restore
from tests.api.things import WORKFLOWS, accepted_events, http, workflow
from tests.people import Person

WEI = 115792089237316195423570985008687907853269984665640564039457584007913129639935
ROW = f'{{"zip":"1010","name":"Ann","wei":{WEI},"id":8202522731445525542,"parts":[{{"b":1,"a":2}},{{"a":1,"b":2}}]}}'


@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_a_payload_is_kept_as_it_was_sent(client: FlaskClient, owner: Person, engine: Engine, mark: str) -> None:
    made = workflow(client, owner)
    run = client.post(
        f"{WORKFLOWS}/{made['id']}/run",
        data=f"{mark}{ROW}".encode(),
        headers={**owner.headers, "Content-Type": "application/json"},
    )
    assert run.status_code < 300, run.text
    [event] = accepted_events(engine)
    assert jsonio.dumps(restore(event.payload, event.payload_order)).decode() == ROW


def test_a_definition_is_shown_as_it_was_written(client: FlaskClient, owner: Person) -> None:
    made = workflow(client, owner, actions=[http(method="POST", body=jsonio.loads(ROW))])
    shown = client.get(f"{WORKFLOWS}/{made['id']}", headers=owner.headers)
    assert ROW in shown.text


def test_half_a_character_is_replaced(client: FlaskClient, owner: Person) -> None:
    written = client.post(
        WORKFLOWS, data=rb'{"name": "a\ud83d"}', headers={**owner.headers, "Content-Type": "application/json"}
    )
    assert written.json["name"] == "a\ufffd"


def test_a_number_beyond_all_bounds_is_refused(client: FlaskClient, owner: Person) -> None:
    refused = client.post(
        WORKFLOWS,
        data=b'{"name": "a", "actions": [], "n": %s}' % (b"9" * 2_001),
        headers={**owner.headers, "Content-Type": "application/json"},
    )
    assert refused.status_code == 400
    assert "JSON" in refused.json["message"]


@pytest.mark.parametrize("charset", ["iso-8859-1", "utf-16", "utf-16le", "utf-16be", "shift_jis", "UTF-8"])
def test_a_charset_that_is_named_is_read(client: FlaskClient, owner: Person, charset: str) -> None:
    name = "カナ" if charset == "shift_jis" else "Grüße"
    data = f'{{"name": "{name}"}}'.encode(charset)
    content_type = f"application/json; charset={charset}"
    written = client.post(WORKFLOWS, data=data, headers={**owner.headers, "Content-Type": content_type})
    assert (written.status_code, written.json["name"]) == (201, name)


@pytest.mark.parametrize("charset", [None, "utf-8", "punycode", "no-such"])
def test_a_charset_that_is_not_named_is_asked_for(
    client: FlaskClient, owner: Person, address: str, charset: str | None
) -> None:
    content_type = "application/json" + (f"; charset={charset}" if charset else "")
    for path in (WORKFLOWS, address):
        refused = client.post(
            path, data=b'{"name": "Gr\xfc\xdfe"}', headers={**owner.headers, "Content-Type": content_type}
        )
        assert refused.status_code == 400
        assert refused.json["message"].startswith("the body is not UTF-8; where it is in another charset, Content-Type")


@pytest.mark.parametrize("data", [b"{", b'{"a": 1,}', b"[1 2]"])
def test_a_mistake_is_told_with_its_position(client: FlaskClient, owner: Person, address: str, data: bytes) -> None:
    for path in (WORKFLOWS, address):
        refused = client.post(path, data=data, headers={**owner.headers, "Content-Type": "application/json"})
        assert refused.status_code == 400
        assert refused.json["message"].startswith("the body is not JSON: ")
        assert ", at line 1, column " in refused.json["message"]
