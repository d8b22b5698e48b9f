"""The order of a form's fields, and the headings over them."""

from __future__ import annotations

from flowforge.connectors.account import Account
from flowforge.connectors.catalog import load_catalog
from webapp.ui.fields import by_group, fields_of
from webapp.ui.step_fields import form_of_step

SCHEMA = {
    "required": ["to", "code"],
    "properties": {
        "cc": {"type": "string"},
        "host": {"type": "string", "group": "Server"},
        "to": {"type": "string"},
        "speed": {"type": "string", "group": "Options"},
        "code": {"type": "string", "group": "Server"},
    },
}


def test_required_fields_come_first_and_groups_last_each_in_the_order_of_its_declaration() -> None:
    groups = [(group, [field.key for field in fields]) for group, fields in by_group(fields_of(SCHEMA))]
    assert groups == [("", ["to", "cc"]), ("Server", ["code", "host"]), ("Options", ["speed"])]


def test_the_fields_that_a_connection_can_fill_in_are_drawn_together_under_its_title() -> None:
    *_, (group, fields) = by_group(form_of_step(load_catalog(), "HTTP_REQUEST", {}, Account()).fields)
    assert group == "HTTP sign-in"
    assert [field.key for field in fields] == [
        "bearerToken",
        "username",
        "password",
        "secretHeaders",
        "authorities",
        "clientCertificate",
        "clientKey",
    ]
