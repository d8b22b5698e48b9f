"""Schedules in plain words, and a mailbox that is tried out against a real server."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from flowforge.errors import Invalid
from flowforge.triggers.kind import TrialResult
from flowforge.triggers.kinds.scheduler import KIND
from flowforge.triggers.registrations import Triggers
from flowforge.wiring import Backends
from tests.services.imap import MailServer
from tests.triggers.registrations import register


@pytest.mark.parametrize(
    ("configuration", "words"),
    [
        ({"intervalMinutes": 1}, "Every minute"),
        ({"intervalMinutes": "5"}, "Every 5 minutes"),
        ({"intervalMinutes": 2.5}, "Every 2.5 minutes"),
        ({}, "Every hour"),
        ({"intervalSeconds": 10}, "Every 10 seconds"),
        ({"intervalSeconds": 90}, "Every 1.5 minutes"),
        ({"intervalSeconds": 3600}, "Every hour"),
        ({"intervalMinutes": 120}, "Every 2 hours"),
        ({"intervalMinutes": 1440}, "Every day"),
        ({"cron": "30 2 * * 1-5", "timeZone": "Europe/Berlin"}, "At 02:30, Monday through Friday (Europe/Berlin)"),
        ({"cron": "*/15 * * * *"}, "Every 15 minutes (UTC)"),
        ({"cron": "0 9 1 * *"}, "At 09:00, on day 1 of the month (UTC)"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_a_schedule_is_said_in_plain_words(configuration: dict[str, Any], words: str) -> None:
    assert KIND.describe(configuration) == words


def test_what_is_no_schedule_says_why() -> None:
    assert KIND.describe({"cron": "x"}).startswith("Not readable: /cron")


class TestTryingAMailbox:
    def answer(self, backends: Backends, engine: Engine, kind: str = "email", **config: Any) -> TrialResult:
        user_id = uuid4()
        sealed = config | {"password": backends.vault.seal(config["password"])} if "password" in config else config
        trigger_id = register(engine, kind, sealed, user_id=user_id)
        with Session(engine) as session:
            return Triggers(backends.settings, backends.vault).test(session, backends, user_id, trigger_id)

    def test_one_that_opens(self, backends: Backends, engine: Engine, imap: MailServer) -> None:
        assert self.answer(backends, engine, **imap.config()).problem is None

    def test_a_wrong_password_is_said_and_not_quoted(
        self, backends: Backends, engine: Engine, imap: MailServer
    ) -> None:
        answer = self.answer(backends, engine, **imap.config(password="wrong-and-secret"))
        assert answer.problem
        assert "wrong-and-secret" not in answer.problem + answer.subject

    def test_a_server_that_is_not_there(self, backends: Backends, engine: Engine, imap: MailServer) -> None:
        assert self.answer(backends, engine, **imap.config(port=1)).problem

    def test_a_configuration_that_is_none(self, backends: Backends, engine: Engine) -> None:
        assert self.answer(backends, engine, username="jane").problem

    def test_only_mailboxes_are_tried(self, backends: Backends, engine: Engine) -> None:
        with pytest.raises(Invalid):
            self.answer(backends, engine, "webhook")
