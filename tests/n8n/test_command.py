"""`flowforge import n8n FILE…`: workflow files and a report, without a server."""

from __future__ import annotations

from pathlib import Path

import pytest

from flowforge import jsonio
from flowforge.__main__ import main
from flowforge.ascode.files import read_file
from tests.n8n.graphs import CALLED, graph, node, sets


def _file(folder: Path, name: str, written: object) -> str:
    path = folder / name
    path.write_bytes(jsonio.dumps(written))
    return str(path)


def test_files_are_written_that_are_valid_and_do_not_run_yet(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    post = node(
        "Tell", "slack", {"channelId": "#team", "text": "={{ $json.x }}"}, credentials={"slackApi": {"name": "Team"}}
    )
    source = _file(
        tmp_path, "one.json", graph([CALLED, sets("A", x="={{ $json.body.x }}"), post], "Call > A", "A > Tell")
    )
    assert main(["import", "n8n", source, "-d", str(tmp_path / "out")]) == 0
    said = capsys.readouterr().out
    assert "Example: 3 mapped, 0 approximated, 0 left" in said
    assert "connections to make: Team" in said
    (written,) = (tmp_path / "out").iterdir()
    found = read_file(written)
    assert not found.findings()
    assert found.document is not None
    assert found.document["enabled"] is False


def test_sticky_notes_head_the_file_as_comments(tmp_path: Path) -> None:
    note = node("Note", "stickyNote", {"content": "## Read me\nkey: no\x85more: no\r# x"})
    source = _file(tmp_path, "one.json", graph([CALLED, sets("A", x=1), note], "Call > A"))
    assert main(["import", "n8n", source, "-d", str(tmp_path / "out")]) == 0
    (written,) = (tmp_path / "out").iterdir()
    assert written.read_text(encoding="utf-8").startswith("# ## Read me\n# key: no\n")
    assert not read_file(written).findings()


def test_what_was_left_is_told_and_is_the_exit_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = _file(tmp_path, "one.json", graph([CALLED, node("Odd", "noSuchThing")], "Call > Odd"))
    assert main(["import", "n8n", source, "--report-only"]) == 1
    assert "left: Odd (n8n-nodes-base.noSuchThing)\n    there is no counterpart" in capsys.readouterr().out


def test_a_file_that_cannot_be_used_is_refused_and_the_others_are_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = _file(tmp_path, "good.json", graph([CALLED, sets("A", x=1)], "Call > A"))
    bad = tmp_path / "bad.json"
    bad.write_text("{", encoding="utf-8")
    assert main(["import", "n8n", str(bad), str(tmp_path / "none.json"), good, "-d", str(tmp_path / "out")]) == 2
    said = capsys.readouterr()
    assert "bad.json: the file is not JSON" in said.err.replace(": : ", ": ")
    assert "No such file" in said.err
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["example.yaml"]
