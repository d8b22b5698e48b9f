"""The automations of docs/how-to: each template that they use, run from what starts it to what arrives outside."""

from __future__ import annotations

import io
import json
import re
import time
from collections.abc import Iterator
from email.message import EmailMessage, Message
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from flowforge.settings import Settings
from flowforge.wiring import Backends
from tests.api.things import http
from tests.connectors.running import received_by
from tests.engine.pipeline import working
from tests.onboarding.outside import Account
from tests.people import registered
from tests.services.file_servers import running_webdav
from tests.services.imap import PASSWORD, USER, MailServer
from tests.services.language_model import answers, calls, results
from tests.services.smtp import Inbox, serving
from tests.services.sql_servers import SqlServer
from tests.triggers.webhook_calls import hexadecimal
from tests.waiting import eventually

ME = "me@example.test"
FEED = """<rss version="2.0"><channel><title>Blog</title>
<item><guid>1</guid><title>First</title><link>https://blog.example/1</link></item>{more}</channel></rss>"""
SECOND = "<item><guid>2</guid><title>Second</title><link>https://blog.example/2</link></item>"


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
def settings(settings: Settings, inbox: Inbox) -> Iterator[Settings]:
    """Those of an instance whose mails arrive in the inbox."""
    with serving(inbox) as port:
        mail = {"smtp_host": "127.0.0.1", "smtp_port": port, "smtp_security": "none", "smtp_from": "ff@example.test"}
        yield settings.model_copy(update=mail)


@pytest.fixture
def account(app: Flask, client: FlaskClient, backends: Backends, httpserver: HTTPServer) -> Iterator[Account]:
    """Somebody's, while all consumers work."""
    with working(backends):
        yield Account(app, backends, client, registered(client, "ada"), httpserver)


@pytest.fixture
def slack(account: Account, httpserver: HTTPServer) -> str:
    """A connection to a workspace that takes any message."""
    httpserver.expect_request("/chat.postMessage").respond_with_json({"ok": True, "ts": "1"})
    return account.connect("team", "slack", {"botToken": "xoxb-1"})


@pytest.fixture
def mailbox(imap: MailServer) -> dict[str, Any]:
    """What a mail trigger adds to the fields of a template, to read a folder of its own."""
    return {"port": imap.port, "secure": False, "folder": imap.new_folder()}


def account_of(imap: MailServer) -> dict[str, str]:
    return {"host": imap.host, "username": USER, "password": PASSWORD}


def text_of(mail: Message) -> str:
    content = mail.get_payload(decode=True)
    assert isinstance(content, bytes)
    return content.decode().replace("\r\n", "\n").strip()


def answers_in_turn(httpserver: HTTPServer, path: str, *bodies: str) -> None:
    left = iter(bodies)
    httpserver.expect_request(path).respond_with_handler(lambda _: Response(next(left), mimetype="application/json"))


def posted(httpserver: HTTPServer) -> list[str]:
    """The texts of the messages to Slack."""
    return [one.get_json()["text"] for one in received_by(httpserver) if one.path == "/chat.postMessage"]


def test_a_form_becomes_a_row_of_a_sheet_and_a_mail(account: Account, httpserver: HTTPServer, inbox: Inbox) -> None:
    columns = {"values": [["Name", "Mail", "Message"]]}
    httpserver.expect_request("/s1/values/'Sheet1'!1:1").respond_with_json(columns)
    httpserver.expect_request("/s1/values/'Sheet1':append", method="POST").respond_with_json({"updates": {}})
    google = account.connect("google", "jwt", {"algorithm": "HS256", "key": "a key of at least 32 characters."})
    contact = account.automate("form-to-sheet", sheets=google, spreadsheetId="s1", mail=ME)

    contact.form.send(name="Bea", email="bea@example.test", message="Hello!")

    assert contact.finished()["status"] == "COMPLETED"
    assert received_by(httpserver)[-1].get_json() == {"values": [["Bea", "bea@example.test", "Hello!"]]}
    [mail] = inbox.mails
    assert (mail["To"], mail["Reply-To"], mail["Subject"]) == (ME, "bea@example.test", "Bea has written")
    assert text_of(mail) == "Hello!"


def test_what_is_open_is_told_once_a_day(account: Account, httpserver: HTTPServer, inbox: Inbox) -> None:
    tickets = [
        {"title": "Paint", "due": "2026-02-02", "state": "open"},
        {"title": "Sweep", "due": "2026-01-01", "state": "closed"},
        {"title": "Mend", "due": "2026-02-01", "state": "open"},
    ]
    answers_in_turn(httpserver, "/tickets", json.dumps(tickets), json.dumps(tickets[1:2]))
    digest = account.automate("daily-digest", url=httpserver.url_for("/tickets"), mail=ME)

    digest.its_time_comes()
    digest.finished()
    digest.its_time_comes()

    assert digest.finished(executions=2)["status"] == "COMPLETED", "of a day on which nothing is open"
    [mail] = inbox.mails
    assert (mail["Subject"], text_of(mail)) == ("2 open", "2026-02-01  Mend\n2026-02-02  Paint")


def test_attachments_of_a_mail_are_put_onto_a_file_server(
    account: Account, imap: MailServer, mailbox: dict[str, Any], tmp_path: Path
) -> None:
    mail = EmailMessage()
    mail["Subject"] = "Invoices"
    mail.add_attachment(b"%PDF-1.7", maintype="application", subtype="pdf", filename="a.pdf")
    mail.add_attachment(b"L" * 100_000, maintype="application", subtype="pdf", filename="b.pdf")
    with running_webdav(tmp_path) as server:
        storage = account.connect("storage", server.kind, server.connection)
        archive = account.automate("mail-attachments", mailbox, storage=storage, **account_of(imap))
        imap.deliver("Invoices", folder=mailbox["folder"], raw=mail.as_bytes())
        archive.it_is_polled()
        done = archive.finished()
        kept = {one.name: one.read_bytes() for one in tmp_path.rglob("*.pdf")}
    assert done["status"] == "COMPLETED", done["error"]
    assert kept == {"a.pdf": b"%PDF-1.7", "b.pdf": b"L" * 100_000}


def test_a_large_payment_is_booked_once_somebody_has_approved(
    account: Account, client: FlaskClient, httpserver: HTTPServer, inbox: Inbox
) -> None:
    httpserver.expect_request("/book", method="POST").respond_with_json({"booked": True})
    secret = "whsec_0123456789"
    orders = account.automate("paid-order", secret=secret, mail=ME, url=httpserver.url_for("/book"))

    def paid(amount: int, *, key: str = secret) -> int:
        payment = {"id": f"pi_{amount}", "amount": amount, "currency": "eur"}
        body = json.dumps({"id": f"evt_{amount}", "data": {"object": payment}}).encode()
        at = int(time.time())
        signed = {"Stripe-Signature": f"t={at},v1={hexadecimal(key, f'{at}.'.encode() + body)}"}
        return client.post(orders.webhook, data=body, content_type="application/json", headers=signed).status_code

    assert (paid(7, key="another key"), paid(2_000), paid(250_000)) == (401, 200, 200)
    mail = eventually(lambda: inbox.mails)[0]
    assert mail["Subject"] == "Book 2500.00 EUR?"
    link = re.search(r"Yes: (\S+)", text_of(mail))
    assert link
    eventually(lambda: client.post(urlsplit(link[1]).path, json={"approved": True}).status_code == 200)
    assert orders.finished(executions=2)["status"] == "COMPLETED"
    booked = [one.get_json()["amount"] for one in received_by(httpserver)]
    assert booked == [2_000, 250_000]


def test_what_is_new_on_the_pages_of_an_api_is_passed_on_once(account: Account, httpserver: HTTPServer) -> None:
    pages = [[{"id": 1, "name": "A"}, {"id": 2, "name": "B"}], [{"id": 3, "name": "C"}]]

    def listed(request: Request) -> Response:
        number = int(request.args.get("page", 1))
        return Response(json.dumps(pages[number - 1] if number <= len(pages) else []), mimetype="application/json")

    httpserver.expect_request("/items").respond_with_handler(listed)
    httpserver.expect_request("/new", method="POST").respond_with_json({})
    sync = account.automate("only-new-items", list=httpserver.url_for("/items"), url=httpserver.url_for("/new"))

    sync.its_time_comes()
    sync.finished()
    pages.append([{"id": 4, "name": "D"}])
    sync.its_time_comes()

    assert sync.finished(executions=2)["status"] == "COMPLETED"
    passed_on = [one.get_json()["id"] for one in received_by(httpserver) if one.path == "/new"]
    assert passed_on == ["1", "2", "3", "4"]


def test_code_answers_a_webhook(account: Account, client: FlaskClient) -> None:
    median = account.automate("code-webhook")
    answer = client.post(median.webhook, json={"numbers": [5, 1, 3]})
    assert answer.json == {"count": 3, "median": 3}


def test_a_language_model_finds_the_urgent_mail(
    account: Account, httpserver: HTTPServer, imap: MailServer, mailbox: dict[str, Any], slack: str
) -> None:
    def classified(request: Request) -> Response:
        urgency = "urgent" if "Nothing works" in request.get_data(as_text=True) else "advertising"
        said = json.dumps({"urgency": urgency, "summary": "All is down"})
        choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": said}}
        return Response(json.dumps({"model": "small", "choices": [choice]}), mimetype="application/json")

    httpserver.expect_request("/v1/chat/completions").respond_with_handler(classified)
    model = account.connect("model", "bearer", {"token": "sk-1"})
    triage = account.automate("classify-mail", mailbox, model=model, slack=slack, **account_of(imap))

    imap.deliver("Sale", "Nothing works", folder=mailbox["folder"])
    triage.it_is_polled()

    assert triage.finished(executions=2)["status"] == "COMPLETED"
    assert posted(httpserver) == ["Shop <sales@shop.test>: All is down"]


def test_an_assistant_looks_an_order_up_and_answers(
    account: Account, client: FlaskClient, httpserver: HTTPServer
) -> None:
    def says(request: Request) -> Response:
        known = results(request.get_json()["messages"])
        message = answers(f"I know: {known[0]}") if known else calls(("find_order", {"number": "A-17"}))
        return Response(json.dumps({"choices": [{"message": message}]}), mimetype="application/json")

    httpserver.expect_request("/v1/chat/completions").respond_with_handler(says)
    assistant = account.automate("order-assistant", model=account.connect("model", "bearer", {"token": "sk-1"}))
    [table] = client.get("/api/v1/tables", headers=account.person.headers).get_json()
    order = {"number": "A-17", "state": "sent", "customer": "Ann"}
    rows = f"/api/v1/tables/{table['id']}/rows"
    assert client.post(rows, json={"rows": [order]}, headers=account.person.headers).status_code == 201

    answer = client.post(assistant.webhook, json={"question": "Where is my order A-17?"})

    assert answer.json is not None
    assert answer.json["answer"].startswith("I know: ")
    assert '"state":"sent"' in answer.json["answer"]


def test_each_new_article_of_a_feed_is_posted_once(account: Account, httpserver: HTTPServer, slack: str) -> None:
    answers_in_turn(httpserver, "/feed", FEED.format(more=""), *[FEED.format(more=SECOND)] * 2)
    news = account.automate("feed-to-chat", url=httpserver.url_for("/feed"), slack=slack)

    for _ in range(3):
        news.it_is_polled()

    assert news.finished()["status"] == "COMPLETED"
    assert posted(httpserver) == ["Second: https://blog.example/2"], "the first was there before"


def test_the_figures_of_the_week_are_posted(
    account: Account, httpserver: HTTPServer, postgresql: SqlServer, slack: str
) -> None:
    postgresql.administer(
        "DROP TABLE IF EXISTS orders",
        "CREATE TABLE orders (product text, amount int, ordered_at timestamptz)",
        "INSERT INTO orders VALUES ('Cup', 5, now()), ('Cup', 7, now()), ('Pot', 3, now()),"
        " ('Pan', 99, now() - interval '1 month')",
    )
    shop = account.connect("shop", postgresql.kind, postgresql.connection)
    figures = account.automate("sql-report", database=shop, slack=slack)

    figures.its_time_comes()

    assert figures.finished()["status"] == "COMPLETED"
    assert posted(httpserver) == ["Cup: 12\nPot: 3"]


def test_a_request_for_leave_is_decided_and_answered(account: Account, client: FlaskClient, inbox: Inbox) -> None:
    leave = account.automate("leave-request", mail="boss@example.test")

    leave.form.send(name="Bea", email="bea@example.test", first="2026-07-01", last="2026-07-14")
    asked = eventually(lambda: inbox.mails)[0]
    assert (asked["To"], asked["Subject"]) == ("boss@example.test", "Bea: 2026-07-01 to 2026-07-14")
    link = re.search(r"No: (\S+)", text_of(asked))
    assert link
    decision = {"approved": False, "comment": "Too many are away"}
    eventually(lambda: client.post(urlsplit(link[1]).path, json=decision).status_code == 200)

    assert leave.finished()["status"] == "COMPLETED"
    answer = inbox.mails[1]
    assert (answer["To"], answer["Subject"]) == ("bea@example.test", "Your leave: no")
    assert text_of(answer) == "Too many are away"


def test_a_workflow_that_fails_is_told_by_mail(account: Account, httpserver: HTTPServer, inbox: Inbox) -> None:
    httpserver.expect_request("/charge").respond_with_data("no", status=404)
    alert = account.automate("error-alert", mail=ME)
    charge = {"id": "charge", **http(url=httpserver.url_for("/charge"))}

    failed = account.run({"name": "Orders", "actions": [charge], "settings": {"errorWorkflow": alert.workflow_id}})

    assert alert.finished()["status"] == "COMPLETED"
    [mail] = inbox.mails
    assert mail["Subject"] == "Orders has failed"
    assert text_of(mail) == f"the receiver answered 404: no\n\nStep: charge\nExecution: {failed}"


def test_a_csv_file_is_summed_up_for_who_sends_it(account: Account) -> None:
    sums = account.automate("sum-up-csv")
    file = io.BytesIO(b"category,amount\nFood,10\nTravel,7.25\nFood,2.5\n")
    answer = sums.form.send(file=(file, "expenses.csv"))
    assert re.findall(r"Food|12\.5|Travel|7\.25", answer.text) == ["Food", "12.5", "Travel", "7.25"]
