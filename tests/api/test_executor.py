"""What steps can do here, as clients are told."""

from __future__ import annotations

from flask.testing import FlaskClient
from jsonschema_rs import meta

from tests.people import Person


def test_the_action_types_are_sorted_names(client: FlaskClient, owner: Person) -> None:
    types = client.get("/api/v1/executor/plugins", headers=owner.headers).json["supportedActionTypes"]

    assert types == sorted(types)
    assert {"SLACK_MESSAGE", "GOOGLE_SHEET_ROW", "HTTP_REQUEST", "SEND_EMAIL", "TRANSFORM"} <= set(types)


def test_each_says_what_it_is_configured_with(client: FlaskClient, owner: Person) -> None:
    answer = client.get("/api/v1/executor/plugins", headers=owner.headers).json

    assert [one["type"] for one in answer["connectors"]] == answer["supportedActionTypes"]
    assert answer["disabled"] == {}
    for one in answer["connectors"]:
        assert one["title"]
        assert one["help"]
        assert meta.is_valid(one["config"])
