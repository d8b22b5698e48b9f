"""Takes pictures of every page, light and dark, on a desk and on a phone, of an instance that has something to show.

`python scripts/screenshots.py FOLDER [PAGE ...]`; needs Chromium (scripts/install_test_packages.sh). The pages `guide`
and `getting-started` are what a new user goes through. What docs/ shows is then put into docs/screenshots, with few
colours.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import psycopg2
import requests
from PIL import Image
from playwright.sync_api import Browser, Page, ViewportSize, expect, sync_playwright

from bench.product import Product, running
from flowforge.embedded.postgres import running_postgres
from tests.descriptions import as_file, petstore
from tests.services.serving import serving

PROJECT = Path(__file__).resolve().parents[1]
SIZES = {"wide": (1280, 860), "phone": (390, 844)}
SCHEMES = ("light", "dark")
NAME, PASSWORD = "ada", "bench-password"
PATIENCE_SECONDS = 60
FOR_DOCS = {
    "api-call": "api-call-light-wide",
    "apis": "apis-light-wide",
    "builder": "builder-light-wide",
    "connection-choice": "connection-choice-light-wide",
    "execution": "execution-light-wide",
    "executions": "executions-light-wide",
    "getting-started-published": "getting-started-published-light-wide",
    "getting-started-test": "getting-started-test-light-wide",
    "getting-started-trigger": "getting-started-trigger-light-wide",
    "home": "home-light-wide",
    "mailbox": "builder-mailbox-light-wide",
    "workflows": "workflows-light-wide",
}
COLOURS = 128

_PAST = """
INSERT INTO orchestrator.workflow_executions
    (id, workflow_id, user_id, status, current_step, trigger_payload, step_outputs, trigger_type, error, created_at,
     updated_at, finished_at)
SELECT gen_random_uuid(), %(workflow)s, user_id, CASE WHEN bad THEN 'FAILED' ELSE 'COMPLETED' END, 1, '{}', '{}',
       %(trigger)s, CASE WHEN bad THEN jsonb_build_object('stepIndex', 0, 'step', 'call', 'message', %(why)s) END,
       at, at, at + took
FROM (
    SELECT w.user_id, random() < %(bad)s AS bad, (0.2 + random() * 3) * interval '1 second' AS took,
           now() - interval '3 minutes' - random() ^ 0.8 * interval '7 days' AS at
    FROM workflow.workflows w, generate_series(1, %(count)s) WHERE w.id = %(workflow)s
) AS past
WHERE extract(hour FROM at) BETWEEN 6 AND 20 OR random() < 0.3
"""


class Partner(BaseHTTPRequestHandler):
    """A server for the workflows to call: a shop, a chat, and a service that is down."""

    def do_GET(self) -> None:
        orders = [{"number": 4810 + n, "customerId": n, "total": 40 * n + 19} for n in range(1, 24)]
        answers: dict[str, Any] = {"/orders": {"orders": orders}, "/down": None}
        self._answer(answers.get(self.path, {"name": f"Customer {self.path.rpartition('/')[2]}", "tier": "gold"}))

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self._answer({"ok": True, "id": "4711"})

    def _answer(self, body: Any) -> None:
        time.sleep(0.12)
        data = repr(body).replace("'", '"').replace("True", "true").encode() if body else b"out of order"
        self.send_response(200 if body else 503)
        self.send_header("Content-Type", "application/json" if body else "text/plain")
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        """Write no log."""


@contextmanager
def partner() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Partner)
    server.daemon_threads = True
    with serving(server):
        yield f"http://127.0.0.1:{server.server_port}"


class Stage:
    """An account with workflows that have a past, and some that run now."""

    def __init__(self, product: Product, database: str, partner: str) -> None:
        self._product = product
        self._headers = product.register(NAME)
        self._database = database
        self._partner = partner
        self.pages: dict[str, str] = {}

    def set(self) -> None:
        orders = self._create(self._orders(), ["shop"])
        report = self._create(self._report(), ["shop", "nightly"])
        approval = self._create(self._approval(), ["office"])
        watch = self._create(self._watch(), ["monitoring"])
        self._create({"name": "Monthly invoices", "enabled": False, "trigger": self._cron("0 8 1 * *"), "actions": []})
        for workflow, trigger, count, bad in (
            (orders, "webhook", 900, 0.02),
            (report, "scheduler", 60, 0.05),
            (approval, "webhook", 80, 0.0),
            (watch, "scheduler", 500, 0.08),
        ):
            self._remember(workflow, trigger, count, bad)
        self._post(
            "/api/v1/connections",
            {"name": "sales-channel", "type": "slack", "config": {"webhookUrl": f"{self._partner}/chat"}},
        )
        client = {"preset": "google-mail", "clientId": "an-id", "clientSecret": "a-secret"}
        self._post("/api/v1/connections", {"name": "orders-mail", "type": "oauth2", "config": client})
        mails = self._create(self._mails())
        api = self._post("/api/v1/apis", {"file": as_file(petstore())})
        pets = self._create(self._pets())
        self._ask("PUT", "/api/v1/secrets/SHOP_TOKEN", {"value": "a-secret"})
        order = {
            "method": "POST",
            "body": {"customer": "Grace Hopper", "total": 740, "items": [{"sku": "A-17", "count": 2}]},
        }
        done = self._run(orders, order)
        looped = self._run(report, {})
        failed = self._run(watch, {})
        waiting = self._run(approval, {"body": {"person": "Grace", "amount": 120}})
        for one in (done, looped, failed):
            self._ended(one)
        self._draft(orders)
        colleague = self._colleague()
        self.pages = {
            "home": "/",
            "workflows": "/workflows",
            "workflow": f"/workflows/{orders}",
            "builder": f"/workflows/{orders}/build?step=/actions/1/branches/0/actions/0",
            "builder-trigger": f"/workflows/{orders}/build?step=trigger",
            "builder-mailbox": f"/workflows/{mails}/build?step=trigger",
            "api-call": f"/workflows/{pets}/build?step=/actions/1",
            "apis": f"/apis/{api['id']}",
            "builder-loop": f"/workflows/{report}/build?step=/actions/1",
            "text": f"/workflows/{orders}/build/text?as=yaml",
            "history": f"/workflows/{orders}/versions?from=published&to=draft",
            "templates": "/templates",
            "executions": "/executions",
            "execution": f"/executions/{done}",
            "execution-loop": f"/executions/{looped}",
            "execution-items": f"/executions/{looped}/items?step=1",
            "execution-failed": f"/executions/{failed}",
            "execution-waiting": f"/executions/{waiting}",
            "connection": "/connections/new?type=smtp",
            "connection-choice": "/connections/new?q=mail",
            "failed-messages": "/failed-messages",
            "settings": "/settings",
            "settings-second-factor": "/settings/second-factor",
            "settings-tokens": "/settings/tokens",
            "settings-sessions": "/settings/sessions",
            "settings-password": "/settings/password",
            "settings-accounts": "/administration/accounts",
            "settings-account": f"/administration/accounts/{colleague}",
            "settings-audit-log": "/audit-log",
            "forgotten-password": "/password-resets",
            "api": "/api/docs",
            "missing": "/nowhere",
        }

    def _orders(self) -> dict[str, Any]:
        tell = {
            "id": "tell",
            "name": "Tell the sales channel",
            "type": "SLACK_MESSAGE",
            "retry": {"attempts": 5},
            "config": {
                "webhookUrl": f"{self._partner}/chat",
                "message": "{{ steps.customer.body.name }} ordered for {{ trigger.body.total }} €",
            },
        }
        large = {"name": "large", "when": "{{ trigger.body.total > 500 }}", "actions": [tell]}
        thank = {"id": "thank", "name": "Note it", "type": "TRANSFORM", "config": {"output": {"size": "small"}}}
        return {
            "name": "Order alert",
            "trigger": {"type": "webhook"},
            "actions": [
                self._call("customer", "Look up the customer", "/customers/17"),
                {"id": "judge", "name": "Is it a large order?", "type": "BRANCH", "branches": [large], "else": [thank]},
                {
                    "id": "keep",
                    "name": "Keep it in the shop",
                    "type": "HTTP_REQUEST",
                    "config": {
                        "method": "POST",
                        "url": f"{self._partner}/keep",
                        "body": {"total": "{{ trigger.body.total }}"},
                    },
                },
            ],
        }

    def _report(self) -> dict[str, Any]:
        look = self._call("customer", "Look up the customer", "/customers/{{ item.customerId }}")
        each = {
            "id": "each",
            "name": "For each order",
            "type": "FOR_EACH",
            "config": {
                "items": "{{ steps.orders.body.orders }}",
                "concurrency": 5,
                "collect": "{{ item.number }}: {{ steps.customer.body.name }}, {{ item.total }} €",
            },
            "actions": [look],
        }
        report = {
            "id": "report",
            "name": "Write the report",
            "type": "TRANSFORM",
            "config": {"output": {"orders": "{{ steps.each.results | length }}"}},
        }
        return {
            "name": "Nightly report",
            "trigger": self._cron("0 2 * * 1-5"),
            "actions": [self._call("orders", "Fetch the orders", "/orders"), each, report],
        }

    def _approval(self) -> dict[str, Any]:
        wait = {"for": "approval", "message": "May Grace spend 120 €?", "timeout": 86400}
        return {
            "name": "Expense approval",
            "trigger": {"type": "webhook"},
            "actions": [
                {"id": "decision", "name": "The boss decides", "type": "WAIT", "config": wait},
                {
                    "id": "note",
                    "name": "Note the answer",
                    "type": "TRANSFORM",
                    "config": {"output": {"approved": "{{ steps.decision.approved }}"}},
                },
            ],
        }

    def _mails(self) -> dict[str, Any]:
        thanks = {
            "connection": "orders-mail",
            "to": "{{ trigger.replyTo or trigger.from }}",
            "subject": "Re: {{ trigger.subject }}",
            "text": "Thank you, we have your order.",
        }
        return {
            "name": "Orders by mail",
            "enabled": False,
            "trigger": {"type": "email", "config": {"connection": "orders-mail", "subjectContains": "order"}},
            "actions": [{"id": "thanks", "name": "Say thank you", "type": "SEND_EMAIL", "config": thanks}],
        }

    def _pets(self) -> dict[str, Any]:
        pet = {"name": "{{ trigger.body.name }}", "kind": "cat"}
        return {
            "name": "Pets",
            "enabled": False,
            "trigger": {"type": "webhook"},
            "actions": [
                self._api_call("list", "List pets", {"operation": "listPets"}),
                self._api_call("add", "Add a pet", {"operation": "addPet", "input": {"body": pet}}),
            ],
        }

    def _api_call(self, id_: str, name: str, config: dict[str, Any]) -> dict[str, Any]:
        return {"id": id_, "name": name, "type": "API_CALL", "config": {"api": "petstore"} | config}

    def _watch(self) -> dict[str, Any]:
        look = self._call("look", "Look at the site", "/down") | {"retry": {"attempts": 2, "delay": 1}}
        return {
            "name": "Watch a site",
            "trigger": {"type": "scheduler", "config": {"intervalMinutes": 15}},
            "actions": [look],
        }

    def _call(self, id_: str, name: str, path: str) -> dict[str, Any]:
        return {
            "id": id_,
            "name": name,
            "type": "HTTP_REQUEST",
            "config": {"method": "GET", "url": f"{self._partner}{path}"},
        }

    @staticmethod
    def _cron(cron: str) -> dict[str, Any]:
        return {"type": "scheduler", "config": {"cron": cron, "timeZone": "Europe/Berlin"}}

    def _create(self, definition: dict[str, Any], tags: list[str] | None = None) -> str:
        made = self._post("/api/v1/workflows", definition)
        if tags:
            self._ask("PUT", f"/api/v1/workflows/{made['id']}/tags", {"tags": tags})
        return str(made["id"])

    def _draft(self, workflow: str) -> None:
        shown = self._ask("GET", f"/api/v1/workflows/{workflow}/draft")
        definition = shown["definition"]
        definition["actions"][1]["branches"][0]["when"] = "{{ trigger.body.total > 600 }}"
        self._ask(
            "PUT", f"/api/v1/workflows/{workflow}/draft", {"definition": definition, "revision": shown["revision"]}
        )

    def _remember(self, workflow: str, trigger: str, count: int, bad: float) -> None:
        values = {
            "workflow": workflow,
            "trigger": trigger,
            "count": count,
            "bad": bad,
            "why": "the receiver answered 503",
        }
        with psycopg2.connect(self._database) as connection, connection.cursor() as cursor:
            cursor.execute(_PAST, values)

    def _run(self, workflow: str, payload: dict[str, Any]) -> str:
        return str(self._post(f"/api/v1/workflows/{workflow}/run", payload)["executionId"])

    def _ended(self, execution: str) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (
            not requests.get(f"{self._product.url}/api/v1/executions/{execution}", headers=self._headers, timeout=10)
            .json()
            .get("finishedAt")
        ):
            if time.monotonic() > deadline:
                raise RuntimeError(f"{execution} does not end")
            time.sleep(0.2)

    def _colleague(self) -> str:
        """Registers a second account; returns its id."""
        self._product.register("grace")
        [found] = self._ask("GET", "/api/v1/admin/accounts?search=grace")
        return str(found["id"])

    def _post(self, path: str, body: Any) -> Any:
        return self._ask("POST", path, body)

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        answer = requests.request(method, self._product.url + path, json=body, headers=self._headers, timeout=30)
        if not answer.ok:
            raise RuntimeError(f"{method} {path}: {answer.status_code} {answer.text}")
        return answer.json() if answer.content else None


def windows(browser: Browser, product: Product) -> Iterator[tuple[Page, str]]:
    """A window of each size and theme, signed out, with the suffix of its pictures' names."""
    for size in SIZES:
        for scheme in SCHEMES:
            context = browser.new_context(
                base_url=product.url,
                viewport=_size(size),
                color_scheme="dark" if scheme == "dark" else "light",
                reduced_motion="reduce",
                timezone_id="Europe/Berlin",
            )
            yield context.new_page(), f"{scheme}-{size}"
            context.close()


def photograph(browser: Browser, product: Product, pages: dict[str, str], folder: Path) -> None:
    for page, look in windows(browser, product):
        _take(page, "/sign-in", folder / f"sign-in-{look}.png")
        page.get_by_label("User name").fill(NAME)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("/")
        for name, path in pages.items():
            _take(page, path, folder / f"{name}-{look}.png")


def photograph_first_steps(browser: Browser, product: Product, folder: Path) -> None:
    """Take pictures of what a new user sees first."""
    for page, look in windows(browser, product):
        _take(page, "/register", folder / f"register-{look}.png")
        _register(page, f"grace-{look}")
        _take(page, "/", folder / f"welcome-{look}.png")
        page.get_by_role("button", name="Start the guide").click()
        page.get_by_role("button", name="Use an example").click()
        expect(page.locator("#guide [data-add]")).to_be_visible()
        _take(page, page.url, folder / f"guide-{look}.png")
        page.locator("#guide [data-add]").click()
        page.keyboard.type("br")
        page.screenshot(path=folder / f"palette-{look}.png")


def photograph_getting_started(browser: Browser, product: Product, folder: Path) -> None:
    """Go through docs/getting-started.md, and take its pictures."""
    context = browser.new_context(base_url=product.url, viewport=_size("wide"), reduced_motion="reduce")
    page = context.new_page()
    page.goto("/register")
    _register(page, "lin")
    page.goto("/tables/new")
    page.get_by_label("Name", exact=True).first.fill("large_orders")
    for number, (column, type_) in enumerate((("customer", "text"), ("total", "number"))):
        page.locator(f"[name=name-{number}]").fill(column)
        page.locator(f"[name=type-{number}]").select_option(type_)
    page.get_by_role("button", name="Create table").click()
    page.goto("/workflows")
    page.get_by_role("button", name="New workflow").first.click()
    page.wait_for_load_state("networkidle")
    page.get_by_label("Name of the workflow").fill("Large orders")
    page.get_by_label("Request body (JSON)").fill('{"customer": "Grace Hopper", "total": 740}')
    page.get_by_role("button", name="Send test request").click()
    expect(page.locator("#called")).to_contain_text("Sent")
    _shoot(page, folder, "getting-started-trigger")
    _add_step(page, "/actions", "branch")
    page.get_by_label("Value", exact=True).click()
    _pick(page, "total")
    page.get_by_label("Operator").select_option(label="is greater than")
    page.get_by_label("Compare with").fill("100")
    _add_step(page, "/actions/0/branches/0/actions", "table")
    page.get_by_label("Table", exact=True).select_option("large_orders")
    page.get_by_label("Operation", exact=True).select_option(label="Add")
    for column in ("customer", "total"):
        page.locator("#panel").get_by_label(column, exact=True).click()
        _pick(page, column)
    page.locator("#bar").get_by_role("button", name="Test").click()
    expect(page.locator("#panel")).to_contain_text("createdAt")
    _shoot(page, folder, "getting-started-test")
    page.locator("#bar summary", has_text="Publish").click()
    page.get_by_role("button", name="Publish now").click()
    url = page.locator("[data-published-url] pre").first.inner_text()
    requests.post(url, json={"customer": "Ada Lovelace", "total": 1200}, timeout=10).raise_for_status()
    expect(page.get_by_text("The first call came in")).to_be_visible()
    _shoot(page, folder, "getting-started-published")
    context.close()


def _register(page: Page, name: str) -> None:
    page.get_by_label("User name").fill(name)
    page.get_by_label("E-mail").fill(f"{name}@example.test")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()
    page.wait_for_url(lambda url: not url.endswith("/register"))


def _add_step(page: Page, into: str, words: str) -> None:
    page.locator(f'[data-into="{into}"] .plus').first.click()
    page.keyboard.type(words)
    page.keyboard.press("Enter")
    expect(page.locator("#panel h2")).to_have_text(words.capitalize())


def _pick(page: Page, name: str) -> None:
    """Click a value of the data into the field that was used last."""
    page.get_by_role("tab", name="Data").click()
    page.locator("#step-data").get_by_role("button", name=name).first.click()
    page.get_by_role("tab", name="Parameters").click()


def _shoot(page: Page, folder: Path, name: str) -> None:
    page.wait_for_timeout(300)
    page.screenshot(path=folder / f"{name}-light-wide.png")


def renew_docs(folder: Path) -> None:
    """Put what docs/ shows into docs/screenshots, as palettes: a third of the bytes."""
    for name, taken in FOR_DOCS.items():
        if (folder / f"{taken}.png").exists():
            picture = Image.open(folder / f"{taken}.png").convert("RGB")
            few = picture.quantize(COLOURS, dither=Image.Dither.NONE)
            few.save(PROJECT / "docs" / "screenshots" / f"{name}.png", optimize=True)


def _take(page: Page, path: str, target: Path) -> None:
    page.goto(path)
    page.wait_for_timeout(250)  # charts and fonts
    if page.viewport_size != _size("phone"):
        page.screenshot(path=target)
        return
    whole = page.evaluate("document.documentElement.scrollHeight")
    page.set_viewport_size({**_size("phone"), "height": whole})  # the bar at the bottom belongs below all of it
    page.screenshot(path=target)
    page.set_viewport_size(_size("phone"))


def _size(name: str) -> ViewportSize:
    width, height = SIZES[name]
    return {"width": width, "height": height}


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    names = ("chromium", "chromium-browser", "chromium-headless-shell")
    chromium = next(filter(None, map(shutil.which, names)), None)
    as_root = ["--no-sandbox"] if os.geteuid() == 0 else []
    with (
        tempfile.TemporaryDirectory(prefix="flowforge-screenshots-") as home,
        running_postgres(Path(home) / "database") as database,
        running(Path(home) / "home", {"POSTGRES_URL": database}) as product,
        partner() as address,
        sync_playwright() as playwright,
    ):
        stage = Stage(product, database, address)
        stage.set()
        browser = playwright.chromium.launch(executable_path=chromium, args=as_root)
        wanted = sys.argv[2:]
        pages = {name: path for name, path in stage.pages.items() if not wanted or name in wanted}
        photograph(browser, product, pages, folder)
        if not wanted or "guide" in wanted:
            photograph_first_steps(browser, product, folder)
        if not wanted or "getting-started" in wanted:
            photograph_getting_started(browser, product, folder)
        browser.close()
    renew_docs(folder)


if __name__ == "__main__":
    main()
