"""The addresses of all pages that the application has, made from its routes: a new page cannot be forgotten."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule

from tests.browser.full_account import FullAccount

_NO_PAGES = ("/api/", "/auth/", "/static/", "/webhook", "/health/", "/metrics", "/help/")
"""What answers programs; the help has a frame of its own."""
_PAGES_ELSEWHERE = ("/api/docs",)
_NOT_REACHED = {
    "ui.sign_in_code": "needs a password that was just given",
    "ui.new_password": "needs a link out of a mail",
    "ui.invitation": "needs a link out of a mail",
    "ui.register": "is closed to whoever is signed in",
    "ui.sign_in": "is closed to whoever is signed in",
    "ui.connection_callback": "is called by a provider",
    "ui.connection_device": "needs a provider that shows a code",
    "ui.api_version": "is shown only where another file has come",
    "ui.show_file": "sends a file",
    "ui.show_inline_file": "sends a file",
    "ui.preview_file": "shows a file",
    "ui.preview_inline_file": "shows a file",
    "shared_files.show": "sends a file",
    "forms.later_answer": "needs an execution that answers later",
    "resume.show": "needs a link that a waiting step has made",
}
"""Addresses that need more than a path, with the reason."""


def addresses_of_pages(app: Flask, account: FullAccount, browser: FlaskClient) -> Iterator[str]:
    """Those that answer `browser` with a whole page. Fails for an address that nobody has said how to fill in."""
    for rule in app.url_map.iter_rules():
        if not _is_considered(rule):
            continue
        address = _address(rule, account.addresses[""], account.addresses.get(rule.endpoint, {}))
        answer = browser.get(address, headers={"Accept": "text/html"})
        assert answer.status_code < 400, f"{address}: {answer.status_code}"
        if "<!DOCTYPE html>" in answer.text:
            yield address


def _address(rule: Rule, common: Mapping[str, str], own: Mapping[str, str]) -> str:
    """`own`: values for this endpoint alone; what its path does not name is its query."""
    lacking = rule.arguments - common.keys() - own.keys() - (rule.defaults or {}).keys()
    assert not lacking, f"{rule.endpoint} ({rule.rule}): say in full_account.py what stands for {lacking}"
    values = {name: common[name] for name in rule.arguments & common.keys()}
    _, address = rule.build({**values, **own}) or ("", "")
    return address


def _is_considered(rule: Rule) -> bool:
    is_page = not rule.rule.startswith(_NO_PAGES) or rule.rule in _PAGES_ELSEWHERE
    return is_page and "GET" in (rule.methods or ()) and rule.endpoint not in _NOT_REACHED
