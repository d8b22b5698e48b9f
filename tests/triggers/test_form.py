"""Forms: public pages that start a workflow with what people fill in."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine
from werkzeug.test import TestResponse

from flowforge.engine.intake import Intake
from flowforge.errors import Unavailable
from flowforge.settings import Settings
from flowforge.triggers.kinds.form import KIND
from flowforge.triggers.summary import TriggerSummary
from flowforge.wiring import Backends
from tests.api.things import TRIGGERS, WORKFLOWS, accepted_events, pointers, stored_trigger, triggers_of, workflow
from tests.engine.pipeline import working
from tests.files.described import described, inline
from tests.files.kept import content_of, count_files
from tests.people import Person
from tests.triggers.form_page import HTML, FormPage, stamp_on
from tests.waiting import eventually

FIELDS: list[dict[str, Any]] = [
    {"label": "Your name", "required": True, "help": "As on your badge."},
    {"label": "Story", "type": "long text"},
    {"label": "Guests", "type": "number", "default": 1},
    {"label": "Meal", "type": "choice", "options": ["Soup", "Salad"]},
    {
        "label": "Days",
        "type": "several choices",
        "options": ["Monday", "Tuesday", "Friday"],
        "default": "Friday, Monday",
    },
    {"label": "Arrival", "type": "date"},
    {"label": "E-mail", "type": "e-mail", "name": "mail"},
    {"label": "I agree", "type": "check box", "name": "agreed"},
    {"label": "Photo", "type": "file"},
]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"file_max_bytes": 1_000_000})


@pytest.fixture
def owner_form(client: FlaskClient, owner: Person, app: Flask) -> Callable[..., FormPage]:
    def make(*actions: dict[str, Any], **config: Any) -> FormPage:
        trigger = {"type": "form", "config": {"title": "Dinner", "fields": FIELDS, **config}}
        made = workflow(client, owner, trigger=trigger, actions=list(actions))
        (registered,) = triggers_of(client, owner, made["id"])
        return FormPage(app, f"/forms/{registered['webhookToken']}")

    return make


def assert_kept(page: TestResponse) -> None:
    """The page still has the answers of somebody who filled in name, story and days."""
    assert 'value="Ada"' in page.text
    assert "A long one" in page.text
    assert re.findall(r'value="(\w+)" checked', page.text) == ["Tuesday"]


class TestPage:
    def test_shows_what_its_author_wrote(self, owner_form: Callable[..., FormPage]) -> None:
        page = owner_form(description="Tell us <b>all</b>", button="Count me in").get()

        assert page.status_code == 200
        for text in ("<h1>Dinner</h1>", "Tell us &lt;b&gt;all", "Count me in", "As on your badge.", "Salad", "Tuesday"):
            assert text in page.text
        assert 'value="1"' in page.text  # the default of Guests
        assert re.findall(r'value="(\w+)" checked', page.text) == ["Monday", "Friday"]

    def test_has_every_id_once(self, owner_form: Callable[..., FormPage]) -> None:
        page = owner_form(fields=[{"label": "Website"}, {"label": "Opened"}]).get().text
        ids = re.findall(r' id="([^"]*)"', page)
        assert len(ids) == len(set(ids))

    def test_needs_no_script_and_is_kept_by_nobody(self, owner_form: Callable[..., FormPage]) -> None:
        page = owner_form(redirect="https://shop.example/thanks?a=1").get()

        assert "<script" not in page.text
        assert "form-action 'self' https: http:;" in page.headers["Content-Security-Policy"]
        assert "form-action 'self';" in owner_form().get().headers["Content-Security-Policy"]
        assert "script-src localhost:*/static/;" in page.headers["Content-Security-Policy"]
        assert page.headers["Cache-Control"] == "no-store"

    def test_is_not_there_while_the_workflow_is_disabled(
        self, owner_form: Callable[..., FormPage], client: FlaskClient, owner: Person
    ) -> None:
        form = owner_form()
        stamp = form.stamp()
        (listed,) = client.get(WORKFLOWS, headers=owner.headers).json
        client.put(f"{WORKFLOWS}/{listed['id']}", json={"enabled": False}, headers=owner.headers)

        assert form.get().status_code == 404
        assert form.send(stamp, your_name="Ada").status_code == 404

    def test_is_there_with_a_slash_at_the_end_and_under_a_former_address(
        self, owner_form: Callable[..., FormPage], client: FlaskClient, owner: Person
    ) -> None:
        form = owner_form()
        (registered,) = client.get(TRIGGERS, headers=owner.headers).json
        client.post(f"{TRIGGERS}/{registered['id']}/token", json={"overlapMinutes": 10}, headers=owner.headers)

        assert client.get(f"{form.path}/", headers=HTML).status_code == 200
        assert form.send(your_name="Ada").status_code == 303

    @pytest.mark.parametrize("token", ["nothing", "%00", "a%00b"])
    def test_is_not_there_under_another_token(self, client: FlaskClient, token: str) -> None:
        page = client.get(f"/forms/{token}", headers=HTML)
        assert page.status_code == 404
        assert "This form is not available" in page.text
        assert "/executions" not in page.text

    def test_is_no_webhook_nor_the_reverse(
        self, owner_form: Callable[..., FormPage], client: FlaskClient, owner: Person
    ) -> None:
        token = owner_form().path.rpartition("/")[2]
        made = workflow(client, owner, trigger={"type": "webhook"})
        (hook,) = triggers_of(client, owner, made["id"])

        assert client.post(f"/webhook/{token}", json={}).status_code == 404
        assert client.get(f"/forms/{hook['webhookToken']}").status_code == 404


class TestSubmission:
    def test_becomes_an_event_with_typed_values(self, owner_form: Callable[..., FormPage], engine: Engine) -> None:
        form = owner_form()
        sent = form.send(
            your_name=" Ada ",
            story="one\r\ntwo",
            guests="3",
            meal="Soup",
            days=["Friday", "Monday"],
            arrival="2026-03-31",
            mail="ada@example.com",
            agreed="true",
            photo=(io.BytesIO(b"\x89PNG"), "me.png", "image/png"),
        )

        assert (sent.status_code, sent.location) == (303, f"{form.path}/sent")
        (event,) = accepted_events(engine)
        assert event.trigger_type == "form"
        assert event.payload["fields"] == {
            "your_name": "Ada",
            "story": "one\ntwo",
            "guests": 3,
            "meal": "Soup",
            "days": ["Monday", "Friday"],
            "arrival": "2026-03-31",
            "mail": "ada@example.com",
            "agreed": True,
            "photo": inline("me.png", "image/png", b"\x89PNG"),
        }
        assert datetime.now(UTC) - datetime.fromisoformat(event.payload["submittedAt"]) < timedelta(minutes=1)
        assert event.metadata_["source"] == "form"

    def test_has_a_value_for_what_was_left_empty(self, owner_form: Callable[..., FormPage], engine: Engine) -> None:
        owner_form().send(your_name="Ada", guests="")

        (event,) = accepted_events(engine)
        assert event.payload["fields"] == {
            "your_name": "Ada",
            "story": None,
            "guests": None,
            "meal": None,
            "days": [],
            "arrival": None,
            "mail": None,
            "agreed": False,
            "photo": None,
        }

    def test_is_thanked_for(self, owner_form: Callable[..., FormPage]) -> None:
        form = owner_form(message="See you\non Friday.")
        answer = form.client.get(form.send(your_name="Ada").location)

        assert answer.status_code == 200
        assert "See you\non Friday." in answer.text

    def test_leads_where_its_author_wants(self, owner_form: Callable[..., FormPage]) -> None:
        sent = owner_form(redirect="https://shop.example/thanks").send(your_name="Ada")
        assert (sent.status_code, sent.location) == (303, "https://shop.example/thanks")

    def test_sent_twice_from_one_page_counts_once(self, owner_form: Callable[..., FormPage], engine: Engine) -> None:
        form = owner_form()
        stamp = form.stamp()
        for _ in range(2):
            assert form.send(stamp, your_name="Ada").status_code == 303
        assert form.send(stamp, your_name="Ada B.").status_code == 303

        assert [event.payload["fields"]["your_name"] for event in accepted_events(engine)] == ["Ada", "Ada B."]

    def test_the_same_answers_of_two_people_count_twice(
        self, owner_form: Callable[..., FormPage], engine: Engine
    ) -> None:
        form = owner_form(fields=[{"label": "I come", "type": "check box"}])
        with time_machine.travel(datetime.now(UTC) - timedelta(seconds=30), tick=False):
            stamps = [stamp_on(form.get()) for _ in range(2)]
        for stamp in stamps:
            assert form.send(stamp, i_come="true").status_code == 303

        assert len(accepted_events(engine)) == 2

    @pytest.mark.parametrize(
        ("redirect", "location"),
        [
            ("https://例え.jp/ok", "https://xn--r8jz45g.jp/ok"),
            ("https://münchen.example/", "https://xn--mnchen-3ya.example/"),
            ("https://a.example/ü?q=ü", "https://a.example/%C3%BC?q=%C3%BC"),
        ],
    )
    def test_leads_to_addresses_in_any_script(
        self, owner_form: Callable[..., FormPage], redirect: str, location: str
    ) -> None:
        form = owner_form(redirect=redirect)

        assert form.get().headers["Content-Security-Policy"].isascii()
        assert form.send(your_name="Ada").location == location

    def test_runs_the_workflow(self, owner_form: Callable[..., FormPage], backends: Backends) -> None:
        respond = {"type": "RESPOND", "config": {"body": "Hello {{ trigger.fields.your_name }}!"}}
        form = owner_form(respond, respond="by a RESPOND step")
        with working(backends):
            answer = form.send(your_name="Ada")

        assert (answer.status_code, answer.text) == (200, "Hello Ada!")

    def test_waits_on_a_page_for_an_answer_that_takes_longer(
        self, owner_form: Callable[..., FormPage], backends: Backends
    ) -> None:
        respond = {"type": "RESPOND", "config": {"body": "Hello {{ trigger.fields.your_name }}!"}}
        form = owner_form(respond, respond="by a RESPOND step", respondTimeout=1)
        late = form.send(your_name="Ada")  # nobody works on it
        waiting = form.client.get(late.location, headers=HTML)

        assert late.status_code == 303
        assert waiting.status_code == 202
        assert 'http-equiv="refresh"' in waiting.text
        with working(backends):
            eventually(lambda: form.client.get(late.location).text == "Hello Ada!")

    def test_is_answered_at_its_own_form_only(self, owner_form: Callable[..., FormPage]) -> None:
        respond = {"type": "RESPOND", "config": {"body": "for Ada"}}
        form, other = (owner_form(respond, respond="by a RESPOND step", respondTimeout=1) for _ in range(2))
        late = form.send(your_name="Ada").location

        assert form.client.get(late, headers=HTML).status_code == 202
        elsewhere = late.replace(form.path, other.path)
        assert other.client.get(elsewhere, headers=HTML).status_code == 404


class TestRefusing:
    @pytest.mark.parametrize(
        ("field", "value", "told"),
        [
            ("your_name", "", "Your name is required"),
            ("your_name", "   ", "Your name is required"),
            ("your_name", "x" * 1_001, "Your name must have at most 1,000 characters"),
            ("your_name", "a\x00b", "Your name holds a character that cannot be kept"),
            ("guests", "many", "Guests must be a number"),
            ("guests", "nan", "Guests must be a number"),
            ("meal", "Steak", "Meal must be one of the choices"),
            ("days", ["Monday", "Sunday"], "Days must be among the choices"),
            ("arrival", "31.03.2026", "Arrival must be a date"),
            ("mail", "ada", "E-mail must be an e-mail address"),
        ],
    )
    def test_says_what_is_wrong_and_keeps_the_rest(
        self, owner_form: Callable[..., FormPage], engine: Engine, field: str, value: Any, told: str
    ) -> None:
        filled = {"your_name": "Ada", "story": "A long one", field: value}
        refused = owner_form().send(**filled)

        assert refused.status_code == 422
        assert refused.text.count(told) == 2  # in the summary, and beside the field
        assert "A long one" in refused.text
        assert "<title>Error: Dinner" in refused.text
        assert refused.text.count("autofocus") == 1
        assert accepted_events(engine) == []

    def test_a_box_that_must_be_ticked(self, owner_form: Callable[..., FormPage]) -> None:
        agree = {"label": "I agree", "type": "check box", "required": True}
        assert "I agree must be ticked" in owner_form(fields=[agree]).send().text

    def test_zero_is_an_answer(self, owner_form: Callable[..., FormPage], engine: Engine) -> None:
        count = {"label": "Guests", "type": "number", "required": True}
        assert owner_form(fields=[count]).send(guests="0").status_code == 303
        assert accepted_events(engine)[0].payload["fields"] == {"guests": 0}

    @pytest.mark.parametrize(("text", "number"), [("1234567890123456", 1234567890123456), ("-.5e1", -5.0), ("007", 7)])
    def test_numbers_are_kept_as_they_are(
        self, owner_form: Callable[..., FormPage], engine: Engine, text: str, number: float
    ) -> None:
        assert owner_form(fields=[{"label": "Card", "type": "number"}]).send(card=text).status_code == 303
        (event,) = accepted_events(engine)
        assert (event.payload["fields"]["card"], type(event.payload["fields"]["card"])) == (number, type(number))

    @pytest.mark.parametrize(
        "field", [{"guests": "1_000"}, {"guests": "0x10"}, {"guests": "1e999"}, {"mail": "a@b..c"}]
    )
    def test_texts_that_are_no_numbers_nor_addresses(
        self, owner_form: Callable[..., FormPage], engine: Engine, field: dict[str, str]
    ) -> None:
        assert owner_form().send(your_name="Ada", **field).status_code == 422
        assert accepted_events(engine) == []

    def test_choices_are_taken_as_browsers_send_them(self, owner_form: Callable[..., FormPage], engine: Engine) -> None:
        form = owner_form(fields=[{"label": "Meal", "type": "choice", "options": [" Green  soup\n", "Salad"]}])
        assert form.send(meal="Green soup").status_code == 303
        assert accepted_events(engine)[0].payload["fields"] == {"meal": "Green soup"}

    def test_files_that_are_too_large_together(self, owner_form: Callable[..., FormPage], engine: Engine) -> None:
        form = owner_form(fields=[{"label": "One", "type": "file"}, {"label": "Two", "type": "file"}])
        half = b"x" * 600_000
        refused = form.send(one=(io.BytesIO(half), "1"), two=(io.BytesIO(half), "2"))

        assert refused.status_code == 422
        assert "is too large" in refused.text
        assert form.send(one=(io.BytesIO(half), "1")).status_code == 303
        assert len(accepted_events(engine)) == 1

    def test_a_large_file_is_kept_outside_of_the_payload(
        self, owner_form: Callable[..., FormPage], engine: Engine, backends: Backends
    ) -> None:
        photo = bytes(range(256)) * 1_000
        owner_form().send(your_name="Ada", photo=(io.BytesIO(photo), "me.png", "image/png"))

        (event,) = accepted_events(engine)
        file = event.payload["fields"]["photo"]
        assert file == {"id": file["id"], **described("me.png", "image/png", photo)}
        assert content_of(backends, file, event.id) == photo

    def test_the_same_answers_with_the_same_file_count_once(
        self, owner_form: Callable[..., FormPage], engine: Engine
    ) -> None:
        form = owner_form()
        stamp = form.stamp()
        for _ in range(2):
            form.send(your_name="Ada", photo=(io.BytesIO(b"x" * 100_000), "p"), opened=stamp)
        assert len(accepted_events(engine)) == 1
        assert count_files(engine) == 1

    def test_more_bytes_than_any_form_needs(self, owner_form: Callable[..., FormPage], engine: Engine) -> None:
        refused = owner_form().send(your_name="Ada", photo=(io.BytesIO(b"x" * 3_000_000), "p"))
        assert refused.status_code == 413
        assert "at most 1 MB" in refused.text
        assert accepted_events(engine) == []

    def test_too_many_bytes_lose_nothing_else_that_was_filled_in(self, owner_form: Callable[..., FormPage]) -> None:
        photo = (io.BytesIO(b"x" * 3_000_000), "p")
        refused = owner_form().send(your_name="Ada", story="A long one", days=["Tuesday"], photo=photo)

        assert refused.status_code == 413
        assert_kept(refused)
        assert refused.text.count("Photo is too large") == 2

    def test_files_of_a_refused_form_have_to_be_chosen_again(self, owner_form: Callable[..., FormPage]) -> None:
        refused = owner_form().send(your_name="", photo=(io.BytesIO(b"x"), "p"))
        assert refused.text.count("Photo has to be chosen again") == 2

    def test_long_texts_are_shown_again_too(self, owner_form: Callable[..., FormPage]) -> None:
        refused = owner_form().send(your_name="Ada", story="A long one" + " and more" * 150_000)
        assert refused.status_code == 422
        assert "Story must have at most 20,000 characters" in refused.text
        assert "A long one and more" in refused.text

    def test_a_database_that_is_away_loses_nothing(
        self, owner_form: Callable[..., FormPage], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        form = owner_form()
        stamp = form.stamp()

        def away(*_: object, **__: object) -> None:
            raise Unavailable("the database is away")

        monkeypatch.setattr(Intake, "accept", away)
        refused = form.send(stamp, your_name="Ada", story="A long one", days=["Tuesday"])
        assert refused.status_code == 503
        assert_kept(refused)

    @pytest.mark.parametrize(
        ("body", "content_type"),
        [
            (b"--x\r\n", "multipart/form-data"),
            (b"--x\r\n", "multipart/form-data; boundary=y"),
            (b'{"field.your_name": "Ada"}', "application/json"),
        ],
    )
    def test_what_is_no_form_is_said_to_be_none(
        self, owner_form: Callable[..., FormPage], engine: Engine, body: bytes, content_type: str
    ) -> None:
        form = owner_form()
        refused = form.client.post(form.path, data=body, content_type=content_type, headers=HTML)

        assert refused.status_code == 400
        assert "The body is not a form" in refused.text
        assert accepted_events(engine) == []

    def test_parts_without_a_name_are_passed_over(self, owner_form: Callable[..., FormPage]) -> None:
        form = owner_form()
        body = b"--y\r\nContent-Disposition: form-data\r\n\r\nx\r\n--y--\r\n"
        sent = form.client.post(form.path, data=body, content_type="multipart/form-data; boundary=y", headers=HTML)
        assert sent.status_code == 422

    @pytest.mark.parametrize(
        ("name", "type_", "told"),
        [
            ("x" * 256, "image/png", "Photo must have a name of at most 255 characters"),
            ("me.png", "image/" + "x" * 250, "Photo must be of a type with at most 255 characters"),
        ],
    )
    def test_names_and_types_of_files_are_bounded(
        self, owner_form: Callable[..., FormPage], engine: Engine, name: str, type_: str, told: str
    ) -> None:
        form = owner_form()
        refused = form.send(your_name="Ada", photo=(io.BytesIO(b"x"), name, type_))

        assert refused.status_code == 422
        assert refused.text.count(told) == 2
        assert accepted_events(engine) == []
        longest = (io.BytesIO(b"x"), "x" * 255, "image/" + "x" * 249)
        assert form.send(your_name="Ada", photo=longest).status_code == 303

    def test_as_many_boxes_as_its_author_wants(self, owner_form: Callable[..., FormPage], engine: Engine) -> None:
        options = [f"Day {number}" for number in range(200)]
        labels = [f"Week {number}" for number in range(6)]
        days = [{"label": label, "type": "several choices", "options": options} for label in labels]
        filled = {f"week_{number}": options for number in range(6)}

        assert owner_form(fields=days).send(**filled).status_code == 303
        assert len(accepted_events(engine)[0].payload["fields"]["week_5"]) == 200


class TestRobots:
    def test_who_fills_in_what_people_do_not_see_is_refused(
        self, owner_form: Callable[..., FormPage], engine: Engine
    ) -> None:
        assert owner_form().send(website="https://spam.example", your_name="Ada").status_code == 422
        assert accepted_events(engine) == []

    def test_who_is_faster_than_people_is_asked_again(
        self, owner_form: Callable[..., FormPage], engine: Engine
    ) -> None:
        form = owner_form()
        asked = form.send(form.stamp(seconds=0), your_name="Ada")

        assert asked.status_code == 422
        assert "very quick" in asked.text
        assert accepted_events(engine) == []
        with time_machine.travel(datetime.now(UTC) + timedelta(seconds=3), tick=True):
            assert form.send(stamp_on(asked), your_name="Ada").status_code == 303

    @pytest.mark.parametrize("opened", ["", "made up", "another form's", "yesterday's"])
    def test_a_page_that_was_not_opened_lately_is_shown_anew(
        self, owner_form: Callable[..., FormPage], engine: Engine, opened: str
    ) -> None:
        form = owner_form()
        stamps = {"another form's": owner_form().stamp(), "yesterday's": form.stamp(seconds=25 * 3600)}
        again = form.send(stamps.get(opened, opened), your_name="Ada")

        assert again.status_code == 422
        assert "open for too long" in again.text
        assert 'value="Ada"' in again.text
        assert accepted_events(engine) == []

    def test_one_address_sends_so_often_and_no_more(self, owner_form: Callable[..., FormPage], engine: Engine) -> None:
        form = owner_form()
        stamp = form.stamp()
        statuses = [form.send(stamp, your_name="").status_code for _ in range(31)]

        assert statuses == [422] * 30 + [429]
        refused = form.send(stamp, your_name="Ada", story="A long one", days=["Tuesday"])
        assert refused.status_code == 429
        assert int(refused.headers["Retry-After"]) in (1, 2), "one in two seconds, some of which have gone by"
        assert "Please wait a minute" in refused.text
        assert_kept(refused)
        assert stamp_on(refused) == stamp
        elsewhere = form.client.post(
            form.path,
            data={"field.your_name": "Ada", "opened": stamp},
            environ_base={"REMOTE_ADDR": "203.0.113.9"},
        )
        assert elsewhere.status_code == 303


class TestPassword:
    def unlocked(self, form: FormPage, password: str) -> TestResponse:
        """A minute ago."""
        with time_machine.travel(datetime.now(UTC) - timedelta(minutes=1), tick=True):
            return form.client.post(f"{form.path}/unlocked", data={"password": password}, headers=HTML)

    def test_is_asked_for_before_anything_is_shown(self, owner_form: Callable[..., FormPage], engine: Engine) -> None:
        form = owner_form(password="open sesame")
        for page in (form.get(), form.send("", your_name="Ada"), form.client.get(f"{form.path}/sent")):
            assert page.status_code == 401
            assert "Your name" not in page.text
        assert accepted_events(engine) == []

    def test_lets_in_who_knows_it(self, owner_form: Callable[..., FormPage], engine: Engine) -> None:
        form = owner_form(password="open sesame")
        assert self.unlocked(form, "open says me").status_code == 422
        assert form.get().status_code == 401
        assert form.client.get(f"{form.path}/answers/01a227a2-94b3-7a39-87c4-5d8d77ce05c3").status_code == 401

        assert self.unlocked(form, "open sesame").status_code == 303
        assert "Your name" in form.get().text
        assert form.send(your_name="Ada").status_code == 303
        assert len(accepted_events(engine)) == 1

    def test_another_one_locks_everybody_out(
        self, owner_form: Callable[..., FormPage], client: FlaskClient, owner: Person
    ) -> None:
        form = owner_form(password="open sesame")
        self.unlocked(form, "open sesame")
        (made,) = client.get(TRIGGERS, headers=owner.headers).json
        changed = {**made["configuration"], "password": "quite another"}
        client.put(f"{TRIGGERS}/{made['id']}", json={"configuration": changed}, headers=owner.headers)

        assert form.get().status_code == 401

    def test_is_sealed_and_never_shown(
        self, owner_form: Callable[..., FormPage], client: FlaskClient, owner: Person, engine: Engine
    ) -> None:
        owner_form(password="open sesame")
        shown = client.get(TRIGGERS, headers=owner.headers)

        assert "open sesame" not in shown.text
        assert stored_trigger(engine, shown.json[0]["id"]).configuration["password"].startswith("enc:v1:")


class TestDeclaration:
    @pytest.mark.parametrize(
        ("config", "fields"),
        [
            ({"fields": [{"type": "text"}]}, {"/fields/0/label"}),
            ({"fields": [{"label": "A", "type": "colour"}]}, {"/fields/0/type"}),
            ({"fields": [{"label": "A", "type": "choice"}]}, {"/fields/0/options"}),
            ({"fields": [{"label": "A", "type": "choice", "options": ["x", "x"]}]}, {"/fields/0/options"}),
            ({"fields": [{"label": "A", "type": "number", "default": "x"}]}, {"/fields/0/default"}),
            ({"fields": [{"label": "A", "type": "file", "default": "x"}]}, {"/fields/0/default"}),
            ({"fields": [{"label": "A", "name": "a b"}]}, {"/fields/0/name"}),
            ({"fields": [{"label": "年齢"}]}, {"/fields/0/name"}),
            ({"fields": [{"label": "A"}, {"label": "a"}]}, {"/fields"}),
            ({"fields": "all"}, {"/fields"}),
            ({"redirect": "javascript:alert(1)"}, {"/redirect"}),
            ({"redirect": "//shop.example"}, {"/redirect"}),
            ({"redirect": "https://a.example:port/"}, {"/redirect"}),
            ({"redirect": "https://a.example\0b/"}, {"/redirect"}),
            ({"redirect": "https://a.example b/"}, {"/redirect"}),
            ({"redirect": "https://a.example;script-src/"}, {"/redirect"}),
            ({"fields": [{"label": "A", "default": []}]}, {"/fields/0/default"}),
            ({"fields": [{"label": "A", "type": "choice", "options": [" "]}]}, {"/fields/0/options/0"}),
            ({"respond": "never"}, {"/respond"}),
            ({"title": "x" * 201}, {"/title"}),
            ({"title": "  ", "button": "\u200b", "message": "\n"}, {"/title", "/button", "/message"}),
            ({"fields": [{"label": "\u00a0", "name": "a"}]}, {"/fields/0/label"}),
        ],
    )
    def test_names_what_cannot_be_used(
        self, client: FlaskClient, owner: Person, config: dict[str, Any], fields: set[str]
    ) -> None:
        wanted = {"name": "F", "trigger": {"type": "form", "config": config}}
        refused = client.post(WORKFLOWS, json=wanted, headers=owner.headers)

        assert refused.status_code == 400
        assert pointers(refused.json) == {f"/trigger/config{pointer}" for pointer in fields}

    def test_has_texts_of_its_own_where_its_author_left_them_empty(self, owner_form: Callable[..., FormPage]) -> None:
        page = owner_form(title="", button="").get()
        assert "<h1>Form</h1>" in page.text
        assert '<button class="primary">Send</button>' in page.text

    def test_shows_what_can_be_read_of_one_that_is_being_written(self) -> None:
        fields = [{"label": "Name"}, {}, "x", {"label": "Age", "type": "number"}]
        half = {"title": 7, "redirect": "no", "fields": fields}

        view = KIND.preview(half)
        assert (view.title, [field.name for field in view.fields]) == ("Form", ["name", "age"])
        assert KIND.preview({"fields": [{"label": "A"}, {"label": "A"}]}).fields == []
        assert KIND.summary(half) == TriggerSummary("Form", fields=2)

    def test_gives_a_sample_like_a_payload(self) -> None:
        sample = KIND.sample({"fields": FIELDS})
        assert sample["fields"]["meal"] == "Soup"
        assert sample["fields"].keys() == {
            "your_name", "story", "guests", "meal", "days", "arrival", "mail", "agreed", "photo"
        }  # fmt: skip
