"""SSH_COMMAND through the whole pipeline: data of a webhook in a command, and secrets."""

from __future__ import annotations

from pathlib import Path

from flowforge.secrets import MASK
from tests.engine.pipeline import Pipeline
from tests.engine.test_credentials import connect, keep, ran
from tests.services.file_servers import running_sftp

NAME = "$(touch broken)'; touch broken; \"`touch broken`"


def test_data_are_words_and_secrets_are_masked(pipeline: Pipeline, tmp_path: Path) -> None:
    keep(pipeline, KEY="kept-under-lock")
    command = "printf '%s|' {{ trigger.name }} {{ trigger.names }} {{ secrets.KEY }} \"$KEY\"; cat; exit 3"
    with running_sftp(tmp_path) as server:
        connect(pipeline, "web", "sftp", **server.connection)
        config = {
            "connection": "web",
            "folder": str(tmp_path),
            "command": command,
            "environment": {"KEY": "{{ secrets.KEY }}"},
            "input": "{{ trigger.name }}",
            "fails": False,
        }
        done = ran(pipeline, {"type": "SSH_COMMAND", "config": config}, payload={"name": NAME, "names": ["a b", "c"]})
    assert done.status == "COMPLETED", done.error
    assert done.step_outputs["step_0"] == {
        "exitCode": 3,
        "stdout": f"{NAME}|a b|c|{MASK}|{MASK}|{NAME}",
        "stderr": "",
    }
    assert not (tmp_path / "broken").exists()
