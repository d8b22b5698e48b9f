"""What every request passes on its way in, and every answer on its way out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask, request
from flask.testing import FlaskClient
from flask_login import login_user
from sqlalchemy.orm import Session

from flowforge.accounts import accounts, web_sessions
from flowforge.settings import Settings
from flowforge.wiring import Backends
from tests.people import PASSWORD, Person
from webapp import create_app
from webapp.context import db, session
from webapp.identity import DashboardUser, current_user_id

Instance = Callable[..., FlaskClient]


@pytest.fixture
def instance(settings: Settings) -> Iterator[Instance]:
    """A client of an application with some settings changed."""
    started: list[Backends] = []

    def start(**changes: Any) -> FlaskClient:
        started.append(Backends(settings.model_copy(update=changes), "test"))
        app = create_app(backends=started[-1])
        app.add_url_rule("/api/where", view_func=lambda: {"address": request.remote_addr, "url": request.url})
        return app.test_client()

    yield start
    for backends in started:
        backends.close()


def test_app_and_backends_share_one_pool(app: Flask, backends: Backends) -> None:
    with app.app_context():
        assert db.engine is backends.engine
        assert session().get_bind() is backends.engine


class TestHeaders:
    def test_every_answer_is_protected(self, client: FlaskClient, owner: Person) -> None:
        for answer in (client.get("/auth/me", headers=owner.headers), client.get("/auth/me"), client.get("/nothing")):
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]

    def test_pages_run_no_script_but_ours(self, client: FlaskClient) -> None:
        page = client.get("/nothing", headers={"Accept": "text/html"})
        policy = page.headers["Content-Security-Policy"]

        assert page.headers["Referrer-Policy"] == "same-origin"
        assert "default-src 'self'" in policy
        assert "unsafe" not in policy
        assert "script-src localhost:*/static/;" in policy

    @pytest.mark.parametrize("host", ["[::1]:8080", "bad host; script-src *"])
    def test_names_that_no_policy_can_hold_are_in_none(self, client: FlaskClient, host: str) -> None:
        page = client.get("/nothing", headers={"Accept": "text/html", "Host": host})

        assert "script-src 'self';" in page.headers["Content-Security-Policy"]

    def test_https_is_remembered_only_where_it_is_spoken(self, client: FlaskClient) -> None:
        assert "Strict-Transport-Security" not in client.get("/auth/me").headers
        assert "Strict-Transport-Security" in client.get("/auth/me", base_url="https://localhost").headers

    def test_a_request_has_an_id(self, client: FlaskClient) -> None:
        first, second = (client.get("/auth/me").headers["X-Request-Id"] for _ in range(2))

        assert first != second

    def test_a_proxys_request_id_is_kept_if_it_is_harmless(self, client: FlaskClient) -> None:
        kept = client.get("/auth/me", headers={"X-Request-Id": "proxy-7.a_b"})
        replaced = client.get("/auth/me", headers={"X-Request-Id": "<script>" + "a" * 100})

        assert kept.headers["X-Request-Id"] == "proxy-7.a_b"
        assert "script" not in replaced.headers["X-Request-Id"]


FORWARDED = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "flows.example.test"}
ORIGIN = {"Origin": "https://app.example.test"}


class TestProxies:
    def test_are_not_believed_by_default(self, instance: Instance) -> None:
        where = instance().get("/api/where", headers=FORWARDED).json

        assert where == {"address": "127.0.0.1", "url": "http://localhost/api/where"}

    def test_are_believed_where_they_are_known(self, instance: Instance) -> None:
        believing = instance(trusted_proxies=1, allowed_hosts=["flows.example.test"])

        where = believing.get("/api/where", headers=FORWARDED).json

        assert where == {"address": "203.0.113.9", "url": "https://flows.example.test/api/where"}

    def test_more_hops_than_are_known_are_not_believed(self, instance: Instance) -> None:
        forged = {"X-Forwarded-For": "198.51.100.1, 203.0.113.9"}

        assert instance(trusted_proxies=1).get("/api/where", headers=forged).json["address"] == "203.0.113.9"


class TestHosts:
    def status(self, client: FlaskClient, host: str, path: str = "/auth/me") -> int:
        return client.get(path, headers={"Host": host}).status_code

    @pytest.mark.parametrize(
        "host", ["localhost", "LOCALHOST:8080", "app.localhost", "127.0.0.1:9", "127.1.2.3", "[::1]:8080"]
    )
    def test_on_this_machine_are_answered(self, client: FlaskClient, host: str) -> None:
        assert self.status(client, host) == 401

    @pytest.mark.parametrize(
        "host",
        [
            "evil.example.test",
            "localhost.evil.test",
            "127.0.0.1.evil.test",
            "192.0.2.7:8080",
            "",
            "[",
            "localhost@evil.test",
        ],
    )
    @pytest.mark.parametrize(
        "path", ["/auth/me", "/sign-in", "/health/live", "/static/app.css", "/nothing", "/webhook/x"]
    )
    def test_that_are_unknown_are_misdirected(self, client: FlaskClient, host: str, path: str) -> None:
        assert self.status(client, host, path) == 421

    def test_that_are_unknown_are_told_the_setting(self, client: FlaskClient) -> None:
        refused = client.get("/auth/me", headers={"Host": "evil.example.test"})

        assert refused.json["statusCode"] == 421
        assert "ALLOWED_HOSTS" in refused.json["message"]

    def test_of_the_settings_are_answered(self, instance: Instance) -> None:
        settings = {"webhook_base_url": "https://Hooks.Example.test:8443/base", "host": "192.0.2.7"}
        client = instance(allowed_hosts=["flows.example.test", ".inside.test"], **settings)
        answered = ["hooks.example.test", "192.0.2.7:8080", "flows.example.test.", "a.b.inside.test", "inside.test"]

        assert {self.status(client, host) for host in answered} == {401}
        assert self.status(client, "notinside.test") == 421

    def test_of_any_name_are_answered_where_the_operator_says_so(self, instance: Instance) -> None:
        assert self.status(instance(allowed_hosts=["*"]), "evil.example.test") == 401

    def test_named_by_a_proxy_that_is_not_known_do_not_count(self, instance: Instance) -> None:
        client = instance(allowed_hosts=["flows.example.test"])
        forged = {"Host": "evil.example.test", "X-Forwarded-Host": "flows.example.test"}

        assert client.get("/auth/me", headers=forged).status_code == 421


class TestAHostForWebhooks:
    """WEBHOOK_HOST."""

    @pytest.fixture
    def hosts(self, instance: Instance) -> FlaskClient:
        base = "https://hooks.example.test:8443"
        return instance(webhook_host="hooks.example.test", webhook_base_url=base, allowed_hosts=["flows.example.test"])

    @pytest.mark.parametrize("path", ["/sign-in", "/auth/me", "/health/live", "/", "/nothing"])
    def test_answers_nothing_of_the_dashboard(self, hosts: FlaskClient, path: str) -> None:
        assert hosts.get(path, headers={"Host": "hooks.example.test"}).status_code == 421
        assert hosts.get(path, headers={"Host": "flows.example.test"}).status_code != 421

    @pytest.mark.parametrize("path", ["/webhook/x", "/forms/x", "/resume/x", f"/webhook-answers/{UUID(int=1)}"])
    def test_is_where_all_that_is_open_to_the_world_is(self, hosts: FlaskClient, path: str) -> None:
        assert hosts.get(path, headers={"Host": "hooks.example.test"}).status_code == 404
        sent_on = hosts.post(f"{path}?a=1&b", headers={"Host": "flows.example.test"})
        if sent_on.status_code != 405:
            assert sent_on.status_code == 308
            assert sent_on.headers["Location"] == f"https://hooks.example.test:8443{path}?a=1&b"

    def test_has_the_style_of_forms(self, hosts: FlaskClient) -> None:
        with hosts.get("/static/app.css", headers={"Host": "hooks.example.test"}) as style:
            assert style.status_code == 200

    def test_is_that_of_the_addresses(self) -> None:
        assert Settings(WEBHOOK_HOST="hooks.example.test").public_webhook_base == "https://hooks.example.test"
        with pytest.raises(ValueError, match="WEBHOOK_HOST"):
            Settings(WEBHOOK_HOST="hooks.example.test", WEBHOOK_BASE_URL="https://flows.example.test")


class TestOtherOrigins:
    def test_may_not_call_by_default(self, client: FlaskClient) -> None:
        assert "Access-Control-Allow-Origin" not in client.get("/auth/me", headers=ORIGIN).headers

    def test_may_call_where_the_operator_names_them(self, instance: Instance) -> None:
        client = instance(cors_origins=["https://app.example.test"])

        answer = client.get("/auth/me", headers=ORIGIN)
        preflight = client.options("/auth/login", headers={**ORIGIN, "Access-Control-Request-Method": "POST"})

        assert answer.headers["Access-Control-Allow-Origin"] == "https://app.example.test"
        assert "Origin" in answer.headers["Vary"]
        assert preflight.status_code == 200
        assert "POST" in preflight.headers["Access-Control-Allow-Methods"]
        assert "Authorization" in preflight.headers["Access-Control-Allow-Headers"]
        assert "Access-Control-Allow-Credentials" not in preflight.headers

    def test_others_may_not(self, instance: Instance) -> None:
        client = instance(cors_origins=["https://app.example.test"])

        answer = client.get("/auth/me", headers={"Origin": "https://evil.example.test"})

        assert "Access-Control-Allow-Origin" not in answer.headers


class TestTheDashboardsSession:
    @pytest.fixture
    def browser(self, app: Flask, request: pytest.FixtureRequest) -> FlaskClient:
        """Signed in as the owner, with a cookie only."""

        def sign_in(user_id: UUID) -> str:
            begun = web_sessions.begin(session(), user_id, "test", "127.0.0.1", timedelta(days=1))
            login_user(DashboardUser.of(accounts.get(session(), user_id), begun))
            return ""

        app.add_url_rule("/test/sign-in/<uuid:user_id>", view_func=sign_in)
        app.add_url_rule(
            "/test/whoami",
            view_func=lambda: str(current_user_id()),
            methods=["GET", "POST", "PUT", "DELETE"],
        )
        owner: Person = request.getfixturevalue("owner")  # registers, so not before the routes above stand
        browser = app.test_client()
        browser.get(f"/test/sign-in/{owner.id}")
        return browser

    def test_counts_for_reading(self, browser: FlaskClient, owner: Person) -> None:
        assert browser.get("/test/whoami").text == str(owner.id)
        assert browser.head("/test/whoami").status_code == 200

    def test_does_not_count_for_changing_anything(self, browser: FlaskClient) -> None:
        codes = [send("/test/whoami").status_code for send in (browser.post, browser.put, browser.delete)]

        assert codes == [401, 401, 401]

    def test_a_token_goes_before_it(self, browser: FlaskClient, stranger: Person) -> None:
        assert browser.get("/test/whoami", headers=stranger.headers).text == str(stranger.id)
        assert browser.get("/test/whoami", headers={"Authorization": "Bearer stale"}).status_code == 401

    def test_a_new_password_ends_it(self, browser: FlaskClient, owner: Person, backends: Backends) -> None:
        with Session(backends.engine) as own:
            accounts.change_password(own, owner.id, PASSWORD, "a new password")

        assert browser.get("/test/whoami").status_code == 401

    def test_its_cookie_is_for_us_alone(self, browser: FlaskClient, owner: Person, settings: Settings) -> None:
        cookie = browser.get(f"/test/sign-in/{owner.id}").headers["Set-Cookie"]

        assert cookie.startswith(f"flowforge_{settings.port}=")
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie
        assert "Secure" not in cookie

    def test_its_cookie_stays_on_https_where_it_came_by_it(self, browser: FlaskClient, owner: Person) -> None:
        cookie = browser.get(f"/test/sign-in/{owner.id}", base_url="https://localhost").headers["Set-Cookie"]

        assert "Secure" in cookie
