"""A mailbox that is tried out against a real server."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from flowforge.errors import Invalid
from flowforge.triggers.kind import TrialResult
from flowforge.triggers.registrations import Triggers
from flowforge.wiring import Backends
from tests.services.imap import MailServer
from tests.triggers.registrations import register


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
