"""Gunicorn itself believes no sender, not even one on loopback: TRUSTED_PROXIES alone decides."""

from __future__ import annotations

import requests

from tests.services.web_server import Stage


def test_a_header_moves_no_address(stage: Stage) -> None:
    moved = requests.get(f"{stage.url}/webhook/metrics", headers={"SCRIPT_NAME": "/webhook"}, timeout=10)
    assert moved.status_code == 404
    assert "flowforge_" not in moved.text
    assert "Location" not in requests.get(f"{stage.url}/health/live", headers={"SCRIPT_NAME": "/x"}, timeout=10).headers


def test_a_header_makes_no_https(stage: Stage) -> None:
    claimed = {"X-Forwarded-Proto": "https", "X-Forwarded-Ssl": "on", "X-Forwarded-Protocol": "ssl"}
    answer = requests.get(f"{stage.url}/sign-in", headers=claimed, timeout=10)
    assert answer.status_code == 200
    assert "Strict-Transport-Security" not in answer.headers
    assert "Secure" not in answer.headers["Set-Cookie"]
