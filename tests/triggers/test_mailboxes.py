"""Polling real mailboxes: every mail leads to one event, and what goes wrong is told to the owner."""

from __future__ import annotations

import socket
import threading
import time
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from typing import Any
from uuid import UUID, uuid4

import pytest
from rq.job import Job, JobStatus
from sqlalchemy import Engine, delete

from flowforge.connectors.mail_transport.server import MailServer as MailTools
from flowforge.db.tables import TriggerEventRow
from flowforge.settings import Settings
from flowforge.triggers.mailboxes import reader as mailbox_reader
from flowforge.triggers.mailboxes.adopted import start_unscheduled
from flowforge.triggers.polling.due import may_run
from flowforge.triggers.polling.poll import PollLimits
from flowforge.wiring import Backends
from tests.files.kept import content_of
from tests.services.imap import PASSWORD, MailServer
from tests.triggers.registrations import change, events, mailbox, register, trigger
from workers.polls import enqueue_due, run_poll

YEAR_AGO = datetime.now(UTC) - timedelta(days=365)


@pytest.fixture
def folder(imap: MailServer) -> str:
    return imap.new_folder()


def subjects(engine: Engine, trigger_id: UUID) -> list[str]:
    return sorted(event.payload["subject"] for event in events(engine, trigger_id))


class TestNewMail:
    def test_a_mail_becomes_an_event(self, backends: Backends, engine: Engine, imap: MailServer, folder: str) -> None:
        mails = mailbox(engine, imap.config(folder))
        imap.deliver("Order 17", folder=folder)
        run_poll(backends, mails)

        [event] = events(engine, mails)
        assert event.trigger_type == "email"
        assert event.payload["subject"] == "Order 17"
        assert event.payload["from"] == "Shop <sales@shop.test>"
        assert event.payload["body"].strip() == "This is Order 17."
        assert event.payload["contentType"] == "text"
        assert event.metadata["source"] == "email"
        assert event.metadata["messageId"] == "<Order.17@shop.test>"
        assert event.metadata["receivedAt"].endswith("Z")
        row = trigger(engine, mails)
        assert row["last_success_at"] == pytest.approx(row["last_triggered_at"], abs=timedelta(seconds=30))
        assert row["last_error"] is None
        assert row["next_scheduled_at"] > datetime.now(UTC)

    def test_each_mail_counts_once_whatever_its_seen_flag(
        self, backends: Backends, engine: Engine, imap: MailServer, folder: str
    ) -> None:
        mails = mailbox(engine, imap.config(folder))
        imap.deliver("seen", folder=folder, seen=True)
        imap.deliver("unseen", folder=folder)
        run_poll(backends, mails)
        run_poll(backends, mails)
        imap.deliver("later", folder=folder, seen=True)
        run_poll(backends, mails)
        assert subjects(engine, mails) == ["later", "seen", "unseen"]

    def test_the_seen_flag_is_left_alone(
        self, backends: Backends, engine: Engine, imap: MailServer, folder: str
    ) -> None:
        mails = mailbox(engine, imap.config(folder))
        imap.deliver("one", "two", folder=folder)
        run_poll(backends, mails)
        assert len(events(engine, mails)) == 2
        assert imap.seen(folder) == 0

    def test_two_triggers_on_one_mailbox_both_get_every_mail(
        self, backends: Backends, engine: Engine, imap: MailServer, folder: str
    ) -> None:
        first, second = (mailbox(engine, imap.config(folder)) for _ in range(2))
        imap.deliver("one", folder=folder)
        for mails in (first, second):
            run_poll(backends, mails)
            assert subjects(engine, mails) == ["one"]

    def test_filters_let_through_what_matches_both(
        self, backends: Backends, engine: Engine, imap: MailServer, folder: str
    ) -> None:
        mails = mailbox(engine, imap.config(folder, subjectContains="ORDER", fromAddress="@Shop"))
        imap.deliver("Your order 1", "Newsletter", folder=folder)
        imap.deliver("Your order 2", folder=folder, sender="someone@else.test")
        run_poll(backends, mails)
        assert subjects(engine, mails) == ["Your order 1"]

    def test_more_mails_than_one_batch_holds(
        self, backends: Backends, engine: Engine, imap: MailServer, folder: str
    ) -> None:
        mails = mailbox(engine, imap.config(folder))
        expected = [f"mail {number}" for number in range(8)]
        imap.deliver(*expected, folder=folder)
        run_poll(backends, mails, PollLimits(headers_at_once=3, bytes_at_once=400))
        assert subjects(engine, mails) == expected

    def test_attachments_are_files(self, backends: Backends, engine: Engine, imap: MailServer, folder: str) -> None:
        mails = mailbox(engine, imap.config(folder))
        message = EmailMessage()
        message["Subject"] = "two files"
        message.add_attachment(b"small", maintype="text", subtype="x", filename="klein & Größe.txt")
        message.add_attachment(b"L" * 100_000, maintype="application", subtype="pdf", filename="large.pdf")
        imap.deliver("two files", folder=folder, raw=message.as_bytes())
        run_poll(backends, mails)

        [event] = events(engine, mails)
        small, large = event.payload["attachments"]
        assert (small["name"], small["size"], b64decode(small["base64"])) == ("klein & Größe.txt", 5, b"small")
        assert (large["name"], large["type"], large["size"]) == ("large.pdf", "application/pdf", 100_000)
        assert content_of(backends, large, event.id) == b"L" * 100_000

    def test_an_attachment_beyond_the_quota_is_told_and_the_mail_counts(
        self, backends: Backends, engine: Engine, imap: MailServer, folder: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        mails = mailbox(engine, imap.config(folder))
        message = EmailMessage()
        message["Subject"] = "too much"
        message.add_attachment(b"L" * 100_000, maintype="application", subtype="pdf", filename="large.pdf")
        imap.deliver("too much", folder=folder, raw=message.as_bytes())
        limited = replace(backends.files.limits, each=50_000)
        monkeypatch.setattr(backends.files, "limits", limited)
        run_poll(backends, mails)

        [event] = events(engine, mails)
        [large] = event.payload["attachments"]
        assert (large["size"], "id" in large) == (100_000, False)
        assert "the limit is 50000" in large["leftOut"]

    def test_a_mail_nobody_can_decode_does_not_hold_up_the_next(
        self, backends: Backends, engine: Engine, imap: MailServer, folder: str
    ) -> None:
        mails = mailbox(engine, imap.config(folder))
        broken = b'Subject: =?x?q?\xff\r\nContent-Type: text/plain; charset="a\x00b"\r\n\r\n\xff\xfe'
        imap.deliver("broken", folder=folder, raw=broken)
        imap.deliver("fine", folder=folder)
        run_poll(backends, mails)
        assert len(events(engine, mails)) == 2

    def test_a_sealed_password_opens(self, backends: Backends, engine: Engine, imap: MailServer, folder: str) -> None:
        mails = mailbox(engine, imap.config(folder, password=backends.vault.seal(PASSWORD)))
        imap.deliver("one", folder=folder)
        run_poll(backends, mails)
        assert subjects(engine, mails) == ["one"]


class TestBacklog:
    def test_a_new_trigger_starts_with_what_arrives_after_it(
        self, backends: Backends, engine: Engine, imap: MailServer, folder: str
    ) -> None:
        imap.deliver("old", folder=folder, at=YEAR_AGO)
        mails = mailbox(engine, imap.config(folder))
        imap.deliver("new", folder=folder)
        run_poll(backends, mails)
        run_poll(backends, mails)
        assert subjects(engine, mails) == ["new"]

    def test_mail_that_comes_while_the_password_is_wrong_is_not_lost(
        self, backends: Backends, engine: Engine, imap: MailServer, folder: str
    ) -> None:
        mails = mailbox(engine, imap.config(folder, password="wrong"))
        run_poll(backends, mails)
        imap.deliver("meanwhile", folder=folder)
        change(engine, mails, configuration=imap.config(folder))
        run_poll(backends, mails)
        assert subjects(engine, mails) == ["meanwhile"]

    def test_a_trigger_that_is_switched_on_late_starts_then(
        self, backends: Backends, engine: Engine, imap: MailServer, folder: str
    ) -> None:
        long_ago = YEAR_AGO - timedelta(days=1)
        mails = mailbox(engine, imap.config(folder), enabled=False, created_at=long_ago, updated_at=long_ago)
        imap.deliver("old", folder=folder, at=YEAR_AGO)
        change(engine, mails, enabled=True)
        run_poll(backends, mails)
        assert subjects(engine, mails) == []

    def test_an_adopted_trigger_starts_with_all_unseen_mail(
        self, backends: Backends, engine: Engine, imap: MailServer, folder: str
    ) -> None:
        mails = mailbox(engine, imap.config(folder), trigger_type="EMAIL")
        imap.deliver("old unseen", folder=folder, at=YEAR_AGO)
        imap.deliver("old seen", folder=folder, at=YEAR_AGO, seen=True)
        assert start_unscheduled(backends) == 1
        assert start_unscheduled(backends) == 0
        run_poll(backends, mails)
        assert subjects(engine, mails) == ["old unseen"]
        imap.deliver("then seen", folder=folder, seen=True)
        run_poll(backends, mails)
        assert subjects(engine, mails) == ["old unseen", "then seen"]

    def test_a_long_backlog_is_continued_where_the_last_poll_ran_out_of_time(
        self, backends: Backends, engine: Engine, imap: MailServer, folder: str
    ) -> None:
        mails = mailbox(engine, imap.config(folder, startWith="unseen"))
        imap.deliver("one", "two", "three", folder=folder, at=YEAR_AGO)
        run_poll(backends, mails, PollLimits(headers_at_once=1, reading_share=0.0))
        assert subjects(engine, mails) == []
        assert trigger(engine, mails)["next_scheduled_at"] <= datetime.now(UTC)
        imap.mark_seen(folder)
        imap.deliver("late", folder=folder)
        run_poll(backends, mails)
        assert subjects(engine, mails) == ["late"]

    def test_another_folder_begins_anew(
        self, backends: Backends, engine: Engine, imap: MailServer, folder: str
    ) -> None:
        mails = mailbox(engine, imap.config(folder))
        imap.deliver("one", "two", folder=folder)
        run_poll(backends, mails)
        other = f"{folder}-other"
        imap.create(other)
        imap.deliver("before", folder=other, at=YEAR_AGO)
        change(engine, mails, configuration=imap.config(other))
        imap.deliver("after", folder=other, at=datetime.now(UTC) + timedelta(seconds=5))
        run_poll(backends, mails)
        assert subjects(engine, mails) == ["after", "one", "two"]


class TestRenumbering:
    """The server gives the folder a new UIDVALIDITY, and every mail in it a new uid."""

    def test_known_mails_are_not_repeated_and_new_ones_are_found(
        self, backends: Backends, engine: Engine, imap: MailServer, folder: str
    ) -> None:
        mails = mailbox(engine, imap.config(folder))
        imap.deliver("one", "two", folder=folder)
        run_poll(backends, mails)
        imap.recreate(folder)
        imap.deliver("one", "new", "two", folder=folder)
        imap.deliver("ancient", folder=folder, at=YEAR_AGO)
        run_poll(backends, mails)
        assert subjects(engine, mails) == ["new", "one", "two"]

    def test_afterwards_the_same_message_id_counts_again(
        self, backends: Backends, engine: Engine, imap: MailServer, folder: str
    ) -> None:
        mails = mailbox(engine, imap.config(folder))
        imap.deliver("one", folder=folder)
        run_poll(backends, mails)
        imap.recreate(folder)
        run_poll(backends, mails)
        imap.deliver("one", folder=folder)
        run_poll(backends, mails)
        assert subjects(engine, mails) == ["one", "one"]


class TestOverlap:
    def test_polls_at_the_same_time_accept_each_mail_once(
        self, settings: Settings, engine: Engine, imap: MailServer, folder: str
    ) -> None:
        mails = mailbox(engine, imap.config(folder))
        expected = [f"mail {number}" for number in range(9)]
        imap.deliver(*expected, folder=folder)
        barrier = threading.Barrier(3)

        def poll() -> None:
            backends = Backends(settings, "poll")
            try:
                barrier.wait()
                run_poll(backends, mails)
                run_poll(backends, mails)
            finally:
                backends.close()

        with ThreadPoolExecutor(3) as pool:
            for future in [pool.submit(poll) for _ in range(3)]:
                future.result()
        assert subjects(engine, mails) == expected

    def test_a_poll_that_is_overtaken_changes_nothing(
        self, backends: Backends, engine: Engine, imap: MailServer, folder: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        mails = mailbox(engine, imap.config(folder))
        imap.deliver("one", "two", folder=folder)
        take = mailbox_reader._Reader.take

        def overtaken(reader: Any, uids: Any, deadline: float) -> bool:
            monkeypatch.setattr(mailbox_reader._Reader, "take", take)
            run_poll(backends, mails)
            return take(reader, uids, deadline)

        monkeypatch.setattr(mailbox_reader._Reader, "take", overtaken)
        run_poll(backends, mails)
        assert subjects(engine, mails) == ["one", "two"]

    def test_after_the_end_of_retention_nothing_comes_back(
        self, backends: Backends, engine: Engine, imap: MailServer, folder: str
    ) -> None:
        mails = mailbox(engine, imap.config(folder))
        imap.deliver("one", folder=folder)
        run_poll(backends, mails)
        with engine.begin() as connection:
            connection.execute(delete(TriggerEventRow))
        run_poll(backends, mails)
        assert events(engine, mails) == []


ONE_BY_ONE = PollLimits(headers_at_once=1)


class Crash(BaseException):
    """The process ends here."""


class TestCrash:
    @pytest.mark.parametrize(
        "point",
        [
            "flowforge.connectors.mail_transport.mailbox.OpenFolder.headers",
            "flowforge.connectors.mail_transport.mailbox.OpenFolder.mail",
            "flowforge.triggers.mailboxes.reader.move",
            "flowforge.engine.intake.record",
            "flowforge.engine.intake.announce",
            "flowforge.triggers.polling.polling._note_success",
        ],
    )
    def test_wherever_a_poll_ends_each_mail_counts_once(
        self,
        backends: Backends,
        engine: Engine,
        imap: MailServer,
        folder: str,
        monkeypatch: pytest.MonkeyPatch,
        point: str,
    ) -> None:
        def crash(*_: Any, **__: Any) -> None:
            raise Crash

        mails = mailbox(engine, imap.config(folder))
        imap.deliver("one", "two", folder=folder)
        with monkeypatch.context() as broken:
            broken.setattr(point, crash)
            with pytest.raises(Crash):
                run_poll(backends, mails, ONE_BY_ONE)
        run_poll(backends, mails, ONE_BY_ONE)
        assert subjects(engine, mails) == ["one", "two"]

    def test_a_failure_of_ours_is_shown_and_logged(
        self, backends: Backends, engine: Engine, imap: MailServer, folder: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*_: Any) -> None:
            raise KeyError("a bug")

        monkeypatch.setattr("flowforge.triggers.kinds.email.read_new", fail)
        mails = mailbox(engine, imap.config(folder))
        with pytest.raises(KeyError):
            run_poll(backends, mails)
        assert "reason of ours" in trigger(engine, mails)["last_error"]


class TestTrouble:
    @pytest.mark.parametrize(
        ("wrong", "told"),
        [
            ({"password": "hush hush"}, "refuses user 'jane'"),
            ({"password": "hüsh hush"}, "refuses user 'jane'"),
            ({"folder": "Nowhere"}, "cannot open folder 'Nowhere'"),
            ({"port": 1}, "accepts no connections"),
            ({"secure": True}, "TLS"),
            ({"host": "mail.invalid"}, "'mail.invalid' is not known"),
            ({"host": "10.1.2.3"}, "private network"),
            ({"host": "169.254.169.254"}, "private network"),
            ({"username": ""}, "/username"),
            ({"password": None}, "/password"),
            ({"password": "enc:v1:of another key"}, "no longer configured"),
        ],
    )
    def test_it_is_told_to_the_owner_without_the_password(
        self, backends: Backends, engine: Engine, imap: MailServer, wrong: dict[str, Any], told: str
    ) -> None:
        mails = mailbox(engine, imap.config() | wrong)
        run_poll(backends, mails)
        row = trigger(engine, mails)
        assert told in row["last_error"]
        assert "hush" not in row["last_error"]
        assert row["last_error_at"] is not None
        assert row["last_success_at"] is None
        assert row["next_scheduled_at"] > datetime.now(UTC)

    def test_the_longer_it_lasts_the_later_the_next_try(
        self, backends: Backends, engine: Engine, imap: MailServer
    ) -> None:
        long_ago = datetime.now(UTC) - timedelta(minutes=40)
        config = imap.config() | {"port": 1}
        recent = mailbox(engine, config)
        old = mailbox(engine, config, created_at=long_ago, updated_at=long_ago)
        ancient = mailbox(engine, config, created_at=YEAR_AGO, updated_at=YEAR_AGO)
        pauses = []
        for mails in (recent, old, ancient):
            run_poll(backends, mails)
            pauses.append(trigger(engine, mails)["next_scheduled_at"] - datetime.now(UTC))
        assert pauses[0] < timedelta(minutes=2) < timedelta(minutes=15) < pauses[1] < timedelta(minutes=25)
        assert timedelta(minutes=25) < pauses[2] <= timedelta(minutes=30)

    def test_a_server_that_hangs_costs_only_its_own_time(self, backends: Backends, engine: Engine) -> None:
        with _listening(lambda connection: None) as port:
            row = _poll_in_time(backends, engine, port)
        assert "took longer than" in row["last_error"]

    def test_a_server_that_drips_is_cut_off(self, backends: Backends, engine: Engine) -> None:
        with _listening(_drip) as port:
            row = _poll_in_time(backends, engine, port)
        assert "took longer than" in row["last_error"]

    def test_a_server_that_speaks_something_else(self, backends: Backends, engine: Engine) -> None:
        with _listening(lambda connection: connection.sendall(b"220 mail.test ESMTP\r\n")) as port:
            row = _poll_in_time(backends, engine, port)
        assert "answers in an unexpected way" in row["last_error"]

    def test_a_server_that_announces_a_mountain(self, backends: Backends, engine: Engine) -> None:
        with _listening(lambda connection: connection.sendall(b"* OK hi\r\n* X {3000000000}\r\n")) as port:
            row = _poll_in_time(backends, engine, port)
        assert "3000000000" in row["last_error"]

    def test_the_outcome_of_an_older_configuration_is_not_noted(
        self, backends: Backends, engine: Engine, imap: MailServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        mails = mailbox(engine, imap.config() | {"port": 1})
        monkeypatch.setattr(MailTools, "open_folder", _after(lambda: change(engine, mails, enabled=True)))
        run_poll(backends, mails)
        assert trigger(engine, mails)["last_error"] is None


@contextmanager
def _listening(greet: Callable[[socket.socket], object]) -> Iterator[int]:
    """The port of a server that greets, and then says nothing more until it is let go."""
    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as pool:
        over = threading.Event()

        def serve() -> None:
            connection, _ = listener.accept()
            with connection, suppress(OSError):
                greet(connection)
                over.wait(60)

        served = pool.submit(serve)
        yield listener.getsockname()[1]
        over.set()
        served.result()


def _drip(connection: socket.socket) -> None:
    while True:
        connection.sendall(b"*")
        time.sleep(0.05)


def _poll_in_time(backends: Backends, engine: Engine, port: int) -> Mapping[str, Any]:
    """With the shortest time limit there is."""
    hasty = Backends(backends.settings.model_copy(update={"mailbox_time_limit": 2}), "hasty")
    mails = mailbox(
        engine, {"host": "127.0.0.1", "port": port, "secure": False, "username": "jane", "password": "hush hush"}
    )
    run_poll(hasty, mails)
    hasty.close()
    return trigger(engine, mails)


def _after(edit: Callable[[], object]) -> Callable[..., Any]:
    """Opening the mailbox, once the trigger was edited."""
    open_folder = MailTools.open_folder

    @contextmanager
    def opened(*arguments: Any) -> Iterator[Any]:
        edit()
        with open_folder(*arguments) as folder:
            yield folder

    return opened


class TestQueue:
    def test_due_mailboxes_get_one_job_each_however_often_they_are_due(
        self, backends: Backends, engine: Engine, imap: MailServer
    ) -> None:
        now = datetime.now(UTC)
        due = mailbox(engine, imap.config(), next_scheduled_at=now)
        mailbox(engine, imap.config(), next_scheduled_at=now + timedelta(hours=1))
        mailbox(engine, imap.config(), next_scheduled_at=now, enabled=False)
        register(engine, "scheduler", {}, next_scheduled_at=now)
        assert enqueue_due(backends, backends.redis, now) == 1
        assert trigger(engine, due)["next_scheduled_at"] > now
        assert enqueue_due(backends, backends.redis, now) == 0
        assert enqueue_due(backends, backends.redis, now + timedelta(minutes=2)) == 0
        assert backends.redis.llen("rq:queue:polls") == 1

    def test_polls_of_one_account_leave_places_for_those_of_others(
        self, backends: Backends, engine: Engine, imap: MailServer
    ) -> None:
        backends.settings.mailbox_workers = 1
        now, greedy = datetime.now(UTC), uuid4()
        for _ in range(250):  # all of them due before the other, and more than are looked at once
            mailbox(engine, imap.config(), user_id=greedy, next_scheduled_at=now - timedelta(hours=1))
        modest = mailbox(engine, imap.config(), next_scheduled_at=now)
        assert enqueue_due(backends, backends.redis, now) == 4
        assert trigger(engine, modest)["next_scheduled_at"] > now
        assert enqueue_due(backends, backends.redis, now) == 0
        backends.redis.delete("rq:queue:polls")
        assert enqueue_due(backends, backends.redis, now) == 3

    def test_one_account_has_not_all_the_workers(self, backends: Backends, engine: Engine, imap: MailServer) -> None:
        backends.settings.mailbox_workers = 3
        due, greedy = datetime.now(UTC) + timedelta(hours=1), uuid4()
        held = [mailbox(engine, imap.config(), user_id=greedy, next_scheduled_at=due) for _ in range(3)]
        modest = mailbox(engine, imap.config())
        assert [may_run(backends, one, held[:number]) for number, one in enumerate(held)] == [True, True, False]
        assert trigger(engine, held[2])["next_scheduled_at"] <= datetime.now(UTC)
        assert may_run(backends, modest, held[:2])

    def test_an_emptied_valkey_only_costs_one_interval(
        self, backends: Backends, engine: Engine, imap: MailServer
    ) -> None:
        now = datetime.now(UTC)
        mailbox(engine, imap.config(), next_scheduled_at=now)
        enqueue_due(backends, backends.redis, now)
        backends.redis.flushall()
        assert enqueue_due(backends, backends.redis, now + timedelta(minutes=2)) == 1

    def test_a_job_that_a_dead_worker_took_along_makes_room(
        self, backends: Backends, engine: Engine, imap: MailServer
    ) -> None:
        now = datetime.now(UTC)
        due = mailbox(engine, imap.config(), next_scheduled_at=now)
        enqueue_due(backends, backends.redis, now)
        job = Job.fetch(f"poll-{due}", connection=backends.redis)
        backends.redis.delete("rq:queue:polls")
        assert enqueue_due(backends, backends.redis, now + timedelta(minutes=2)) == 0
        job.enqueued_at = now - timedelta(minutes=5)
        job.save()
        assert enqueue_due(backends, backends.redis, now + timedelta(minutes=4)) == 1
        job.set_status(JobStatus.STARTED)
        assert enqueue_due(backends, backends.redis, now + timedelta(minutes=6)) == 0
        job.heartbeat(now - timedelta(minutes=5), 60)
        assert enqueue_due(backends, backends.redis, now + timedelta(minutes=8)) == 1

    def test_polling_can_be_switched_off(self, backends: Backends, engine: Engine, imap: MailServer) -> None:
        mailbox(engine, imap.config(), next_scheduled_at=datetime.now(UTC))
        off = Backends(backends.settings.model_copy(update={"email_polling_enabled": False}), "off")
        assert enqueue_due(off, backends.redis) == 0
