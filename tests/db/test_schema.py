"""Processes refuse a database that is older or newer than they are, in one sentence."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from flowforge.db.schema import demand_schema, exit_on_other_schema, needed_schema
from flowforge.errors import OtherSchema, Unavailable

ROOT = Path(__file__).parents[2]
PROGRAMS = [
    ["workers.host", "orchestrator"],
    ["workers.jobs"],
    ["workers.all_workers"],
    ["gunicorn", "--config", "python:webapp.server.gunicorn_config", "--bind", "127.0.0.1:0", "webapp:create_app()"],
    ["flowforge", "db", "upgrade"],
    ["flowforge", "db", "downgrade"],
]


def set_schema(engine: Engine, revision: str) -> None:
    with engine.begin() as connection:
        connection.execute(text("UPDATE flowforge_migrations SET version_num = :revision"), {"revision": revision})


def test_the_right_one_is_taken(database_url: str) -> None:
    demand_schema(database_url)


@pytest.mark.parametrize(
    ("revision", "advice"),
    [("0001", "needs .*db upgrade"), ("9999", "newer than this release .*db downgrade"), ("deadbeef", "newer than")],
)
def test_another_one_is_refused(engine: Engine, database_url: str, revision: str, advice: str) -> None:
    set_schema(engine, revision)
    try:
        with pytest.raises(OtherSchema, match=f"{revision}.*{advice}"):
            demand_schema(database_url)
    finally:
        set_schema(engine, needed_schema())


def test_none_is_refused(empty_database_url: str) -> None:
    with pytest.raises(OtherSchema, match="no schema of FlowForge yet"):
        demand_schema(empty_database_url)


def test_a_database_that_does_not_answer_is_waited_for_elsewhere() -> None:
    nowhere = "postgresql://nobody@127.0.0.1:1/nothing"
    with pytest.raises(Unavailable):
        demand_schema(nowhere)
    exit_on_other_schema(nowhere)


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: " ".join(program[:3]))
def test_every_program_says_so_in_one_sentence(
    engine: Engine, database_url: str, redis_url: str, tmp_path: Path, program: list[str]
) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "POSTGRES_URL": database_url,
        "REDIS_URL": redis_url,
        "FLOWFORGE_HOME": str(tmp_path),
    }
    set_schema(engine, "9999")
    try:
        ended = subprocess.run(
            [sys.executable, "-m", *program],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    finally:
        set_schema(engine, needed_schema())
    said = (ended.stdout + ended.stderr).strip()
    assert ended.returncode != 0
    assert "schema 9999, which is newer than this release" in said
    assert "Traceback" not in said
