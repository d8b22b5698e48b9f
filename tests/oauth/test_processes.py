"""Renewal by several processes, and by processes that are killed in it."""

from __future__ import annotations

import json
import subprocess
import sys
from uuid import UUID

import pytest
from sqlalchemy import text

from flowforge.connectors.sdk import ConnectionBroken
from flowforge.settings import Settings
from flowforge.wiring import Backends
from tests.oauth.connected import call, connect, kept, sign_in
from tests.services.oauth_provider import Provider


def start(settings: Settings, provider: Provider, *dies: str) -> subprocess.Popen[bytes]:
    given = {"postgres_url_setting": settings.postgres_url, "redis_url": settings.redis_url, "home": str(settings.home)}
    command = [sys.executable, "-m", "tests.oauth.renewing_process", json.dumps(given), provider.url, *dies]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def ended(process: subprocess.Popen[bytes]) -> tuple[int, str]:
    output, errors = process.communicate(timeout=150)
    return process.returncode, output.decode() + errors.decode()[-2000:]


@pytest.fixture
def connection(backends: Backends, provider: Provider) -> UUID:
    """One whose token has ended, at a provider that rotates refresh tokens."""
    provider.rotates = True
    connection_id = connect(backends, provider)
    sign_in(backends, provider, connection_id, ends_in=-1)
    return connection_id


def lapse(backends: Backends) -> None:
    """The process that was renewing has been dead for long enough."""
    with backends.engine.begin() as database:
        database.execute(text("UPDATE workflow.oauth_grants SET renewing_until = now()"))


def test_two_processes_at_once_make_one_request(
    backends: Backends, settings: Settings, provider: Provider, connection: UUID
) -> None:
    _ = backends.keys
    provider.delay = 4
    processes = [start(settings, provider) for _ in range(2)]
    outcomes = [ended(process) for process in processes]
    assert outcomes == [(0, "200\n")] * 2
    assert len(provider.asked) == 1
    assert provider.called_with == [kept(backends, connection).tokens.access] * 2


def test_one_that_is_killed_between_answer_and_commit_loses_nothing(
    backends: Backends, settings: Settings, provider: Provider, connection: UUID
) -> None:
    _ = backends.keys
    assert ended(start(settings, provider, "before the commit"))[0] == -9
    lapse(backends)
    assert call(backends, provider).ok
    assert len(provider.asked) == 1, "the answer was on disk"
    assert kept(backends, connection).tokens.refresh == provider.tokens[-1].refresh_token


def test_one_that_is_killed_before_that_tries_the_former_token_again(
    backends: Backends, settings: Settings, provider: Provider, connection: UUID
) -> None:
    _ = backends.keys
    provider.grace_seconds = 120
    assert ended(start(settings, provider, "before the disk"))[0] == -9
    lapse(backends)
    assert call(backends, provider).ok
    assert [asked["refresh_token"] for asked in provider.asked] == [provider.asked[0]["refresh_token"]] * 2


def test_an_answer_that_turns_up_late_mends_it(
    backends: Backends, settings: Settings, provider: Provider, connection: UUID
) -> None:
    """It lay on the disk of another machine."""
    _ = backends.keys
    ended(start(settings, provider, "before the commit"))
    lapse(backends)
    folder = backends.renewals.journal.folder
    aside = folder.rename(folder.with_name("elsewhere"))
    with pytest.raises(ConnectionBroken):
        call(backends, provider)
    assert kept(backends, connection).row.broken_at is not None, "the former token is refused"
    aside.rename(folder)
    backends.renewals.settle()
    assert call(backends, provider).ok
    assert kept(backends, connection).row.broken_at is None
