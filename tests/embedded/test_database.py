"""The database in the home, for commands: it is reached whether the instance runs or not."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from flowforge.__main__ import main
from flowforge.db.engine import make_engine
from flowforge.db.tables import User
from flowforge.embedded.database import reached_database
from flowforge.embedded.instance import AlreadyRunning, lock
from flowforge.settings import Settings


@pytest.fixture
def settings(home: Path) -> Settings:
    return Settings(_env_file=None, home=home, postgres_url_setting=None)


def test_it_is_started_and_brought_up_to_date_where_nothing_runs(settings: Settings) -> None:
    with reached_database(settings) as url:
        assert accounts_at(url) == 0
        with pytest.raises(AlreadyRunning):
            lock(settings.home.resolve())
    os.close(lock(settings.home.resolve()))


def test_the_one_of_the_running_instance_is_left_running(settings: Settings) -> None:
    with reached_database(settings) as started:
        with reached_database(settings) as found:
            assert found == started
        assert accounts_at(started) == 0


def test_commands_have_all_they_need_on_it(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(settings.home)  # no .env of a developer's
    monkeypatch.delenv("POSTGRES_URL", raising=False)
    monkeypatch.setenv("FLOWFORGE_HOME", str(settings.home))
    monkeypatch.setenv("SMTP_HOST", "127.0.0.1")
    monkeypatch.setenv("SMTP_PORT", "1")  # where nobody listens
    monkeypatch.setenv("SMTP_FROM", "flows@example.test")
    with reached_database(settings) as url:
        assert main(["users", "add", "bob", "bob@example.test"]) == 0
        turn_on_second_factors(url)
        assert main(["users", "reset-second-factor", "bob"]) == 0
    assert "No mail told them: the mail could not be sent" in capsys.readouterr().out


def turn_on_second_factors(url: str) -> None:
    engine = make_engine(url)
    with engine.begin() as connection:
        connection.execute(update(User).values(totp_confirmed_at=datetime.now(UTC)))
    engine.dispose()


def accounts_at(url: str) -> int:
    engine = make_engine(url)
    with Session(engine) as session:
        found = session.scalar(select(func.count()).select_from(User))
    engine.dispose()
    return found or 0
