"""Mails that steps send: what their expressions give, as recipients."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.engine.pipeline import Pipeline, working
from tests.services.smtp import Inbox, serving


@pytest.fixture(scope="module")
def mail_server() -> Iterator[tuple[Inbox, int]]:
    inbox = Inbox()
    with serving(inbox) as port:
        yield inbox, port


def sent_to(pipeline: Pipeline, server: tuple[Inbox, int], to: Any, payload: dict[str, Any]) -> str:
    """The recipients of the mail, or the error of the step that was to send it."""
    inbox, port = server
    inbox.mails.clear()
    config = {"host": "127.0.0.1", "port": port, "security": "none", "from": "ff@x.test", "to": to, "text": "Hi"}
    workflow = pipeline.workflow({"id": "mail", "type": "SEND_EMAIL", "config": config})
    with working(pipeline.backends):
        done = pipeline.finished(pipeline.accept(workflow.id, payload).event_id)
    return str(inbox.mails[0]["X-RcptTo"]) if inbox.mails else str((done.error or {})["message"])


@pytest.mark.parametrize(
    ("to", "payload", "recipients"),
    [
        ("{{ trigger.from }}", {"from": "Doe, Jane <jane@x.test>"}, "jane@x.test"),
        ("{{ trigger.from }}, ann@x.test", {"from": "Doe, Jane <jane@x.test>"}, "jane@x.test, ann@x.test"),
        (
            '"{{ trigger.name }}" <{{ trigger.mail }}>; b@x.test',
            {"name": "A, B", "mail": "a@x.test"},
            "a@x.test, b@x.test",
        ),
        ("{{ trigger.to }}", {"to": ["a@x.test", "B <b@x.test>"]}, "a@x.test, b@x.test"),
        ("{{ trigger.to }}, c@x.test", {"to": ["a@x.test"]}, "a@x.test, c@x.test"),
        ("{{ trigger.to | split(',') }}", {"to": "a@x.test, b@x.test"}, "a@x.test, b@x.test"),
        ("{{ trigger.boss }}, c@x.test", {"boss": None}, "c@x.test"),
        (["{{ trigger.to }}", "{{ trigger.to[0] }}"], {"to": ["a@x.test"]}, "a@x.test"),
    ],
)
def test_an_expression_gives_one_address_or_a_list(
    pipeline: Pipeline, mail_server: tuple[Inbox, int], to: Any, payload: dict[str, Any], recipients: str
) -> None:
    assert sent_to(pipeline, mail_server, to, payload) == recipients


@pytest.mark.parametrize(
    ("to", "payload", "said"),
    [
        ("{{ trigger.mail }}", {"mail": "a@x.test, spam@x.test"}, "'a@x.test, spam@x.test' are several addresses"),
        ("b@x.test, {{ trigger.mail }}", {"mail": "a@x.test; spam@x.test"}, "are several addresses"),
        ("{{ trigger.mail }}", {"mail": "a@x.test\nBcc: spam@x.test"}, "is not a mail address"),
        ("{{ trigger.mail }}", {"mail": ""}, "to: is empty"),
        ("{{ trigger.mail }}", {"mail": []}, "to: is empty"),
    ],
)
def test_what_strangers_write_into_a_field_adds_no_recipient(
    pipeline: Pipeline, mail_server: tuple[Inbox, int], to: str, payload: dict[str, Any], said: str
) -> None:
    assert said in sent_to(pipeline, mail_server, to, payload)
