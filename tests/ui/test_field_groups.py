"""The order of a form's fields, and the headings over them."""

from __future__ import annotations

import re

import pytest
from flask import Flask

from flowforge.connectors.account import Account
from flowforge.connectors.catalog import load_catalog
from tests.ui.conftest import Browser
from tests.ui.test_builder import FLOW, Builder
from tests.ui.test_pages import created
from webapp.ui.fields import by_group, fields_of
from webapp.ui.step_fields import essentials_first, form_of_step

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


def test_of_many_fields_the_last_optional_ones_are_a_group_as_well() -> None:
    names = [f"f{number}" for number in range(9)]
    schema = {"required": ["f8"], "properties": {name: {"type": "string"} for name in names}}
    groups = [
        (group, [field.key for field in fields]) for group, fields in by_group(essentials_first(fields_of(schema), ()))
    ]
    assert groups == [("", ["f8", "f0", "f1", "f2", "f3", "f4"]), ("More options", ["f5", "f6", "f7"])]


@pytest.mark.parametrize(
    ("type_", "essential"),
    [
        ("HTTP_REQUEST", ["connection", "url", "method", "headers", "query", "body"]),
        ("SEND_EMAIL", ["connection", "to", "subject", "text"]),
        ("LLM", ["connection", "model", "prompt", "api", "system"]),
        ("SQL_QUERY", ["connection", "operation", "sql", "parameters"]),
        ("REDIS", ["connection", "operation", "key"]),
    ],
)
def test_a_step_begins_with_what_most_people_fill_in(type_: str, essential: list[str]) -> None:
    fields = essentials_first(form_of_step(load_catalog(), type_, {}, Account()).fields, ())
    assert [field.key for field in fields if not field.group] == essential


class TestAFoldedGroup:
    """Of a page."""

    @pytest.fixture
    def builder(self, ada: Browser, app: Flask) -> Builder:
        config = {"url": "https://shop.example.test", "form": {"a": "b"}, "nested": "json"}
        return Builder(ada, app, created(ada, {**FLOW, "actions": [{"type": "HTTP_REQUEST", "config": config}]}))

    def summary_of(self, page: str, title: str) -> tuple[str, str]:
        """The attributes of the group, and its heading."""
        found = re.search(
            rf"<details class=\"field-group\"([^>]*)>\s*<summary>\s*({title}.*?)</summary>", page, re.DOTALL
        )
        assert found, title
        return found[1], " ".join(re.sub(r"<[^>]*>", " ", found[2]).split())

    def test_says_how_many_of_its_fields_are_set(self, builder: Builder) -> None:
        page = builder.page("/actions/0")
        attributes, heading = self.summary_of(page, "Form and files")
        assert (" open" in attributes, heading) == (False, "Form and files 2 set")
        assert self.summary_of(page, "Response")[1] == "Response"

    def test_opens_where_one_of_them_is_wrong(self, builder: Builder) -> None:
        fields = {
            "config.url": "https://shop.example.test",
            "config.nested": "nonsense",
            "config.nested.written": "yes",
        }
        builder.edit("", to="step", at="/actions/0", **fields)
        assert " open" in self.summary_of(builder.page("/actions/0"), "Form and files")[0]

    def test_is_open_where_there_are_few_fields(self, ada: Browser, app: Flask) -> None:
        """The address of a Slack webhook is in a group, since a connection may fill it in."""
        actions = [{"type": "SLACK_MESSAGE", "config": {"webhookUrl": "https://hooks.example.test/a"}}]
        page = Builder(ada, app, created(ada, {**FLOW, "actions": actions})).page("/actions/0")
        [group] = re.findall(
            r"<details class=\"field-group\"([^>]*)>(?:(?!</details>).)*config.webhookUrl", page, re.DOTALL
        )
        assert " open" in group
