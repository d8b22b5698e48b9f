"""The migrations themselves: one line of history, run once by whoever comes first, also by `flask db`."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from flask import Flask
from sqlalchemy import event, text

from flowforge.db.engine import make_engine
from flowforge.db.migrate import MIGRATIONS, PREVIOUS_RELEASE, configuration, upgrade
from flowforge.settings import Settings
from flowforge.wiring import Backends
from tests.migrations.originals import connected
from webapp import create_app


@pytest.fixture
def scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(configuration())


def test_history_is_one_line(scripts: ScriptDirectory) -> None:
    revisions = [script.revision for script in scripts.walk_revisions()]

    assert len(scripts.get_heads()) == 1
    assert revisions == sorted(revisions, reverse=True)


def test_file_names_tell_what_a_migration_does(scripts: ScriptDirectory) -> None:
    for script in scripts.walk_revisions():
        assert Path(script.path).stem.removeprefix(f"{script.revision}_")
        assert script.doc


def test_every_migration_bounds_its_wait_for_locks(empty_database_url: str) -> None:
    """Upward and downward: whoever works on a table queues behind a migration that waits for it."""
    seen: list[str] = []
    engine = make_engine(empty_database_url)
    with engine.connect() as connection:
        event.listen(connection, "begin", lambda _: seen.append("BEGIN"))
        event.listen(connection, "before_cursor_execute", lambda *sent: seen.append(sent[2]))
        command.upgrade(configuration(connection=connection), "head")
        command.downgrade(configuration(connection=connection), PREVIOUS_RELEASE)
    engine.dispose()
    begun = [following for begin, following in pairwise(seen) if begin == "BEGIN"]
    assert len(begun) > len(list((MIGRATIONS / "versions").glob("*.py")))
    assert set(begun) == {"SET LOCAL lock_timeout = '5s'"}


def test_many_may_start_at_once(empty_database_url: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        for _ in pool.map(upgrade, [empty_database_url] * 4):
            pass

    with connected(empty_database_url) as connection:
        assert connection.scalar(text("SELECT count(*) FROM flowforge_migrations")) == 1


def test_the_lock_is_free_again_after_a_failure(empty_database_url: str) -> None:
    with connected(empty_database_url) as connection:
        connection.execute(text("CREATE SCHEMA workflow; CREATE VIEW workflow.workflow_versions AS SELECT 1 AS one"))
    with pytest.raises(Exception, match="workflow_versions"):
        upgrade(empty_database_url)
    with connected(empty_database_url) as connection:
        connection.execute(text("DROP VIEW workflow.workflow_versions"))

    upgrade(empty_database_url)


class TestFlaskMigrate:
    def test_knows_our_migrations_and_finds_nothing_to_add(self, app: Flask) -> None:
        for name in ("current", "heads", "history", "check"):
            result = app.test_cli_runner().invoke(args=["db", name])

            assert result.exit_code == 0, result.output

    def test_upgrades(self, settings: Settings, empty_database_url: str) -> None:
        backends = Backends(settings.model_copy(update={"postgres_url_setting": empty_database_url}), "test")
        result = create_app(backends=backends).test_cli_runner().invoke(args=["db", "upgrade"])
        backends.close()

        assert result.exit_code == 0, result.output
        with connected(empty_database_url) as connection:
            assert connection.scalar(text("SELECT count(*) FROM auth.users")) == 0
