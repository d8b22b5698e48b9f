"""SSH_COMMAND against a real server, which runs the commands in a real shell."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from flowforge.connectors.catalog import load_catalog
from flowforge.connectors.sdk import StepContext
from flowforge.language.expressions.resolving import resolve
from tests.connectors.kept_files import KeptFiles
from tests.connectors.running import failing, run_with
from tests.services.file_servers import FileServer, running_sftp

MakeContext = Callable[..., StepContext]
HOSTILE = [
    "a b  c",
    "it's",
    "$(touch broken)",
    "`touch broken`",
    '"; touch broken; "',
    "'; touch broken; '",
    "a\ntouch broken\n",
    "\\",
    "*",
    "~",
    "-rf",
    "",
    "ünï😀",
]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[FileServer]:
    with running_sftp(tmp_path) as server:
        yield server


@pytest.fixture
def files() -> KeptFiles:
    return KeptFiles()


@pytest.fixture
def run_command(server: FileServer, make_context: MakeContext, files: KeptFiles, tmp_path: Path) -> Any:
    def run_step(command: str, data: Any = None, seconds: float = 20, **config: Any) -> dict[str, Any]:
        separated = load_catalog().get("SSH_COMMAND").separate({"command": command, "folder": str(tmp_path), **config})
        context = replace(make_context(seconds=seconds), files=files)
        return run_with("SSH_COMMAND", "sftp", server.connection, resolved(separated, data), context)

    return run_step


def resolved(config: dict[str, Any], data: Any) -> dict[str, Any]:
    return dict(resolve(config, {"trigger": {"x": data}}, step="a", field="config"))


def problems(command: str) -> list[str]:
    return [
        problem.message
        for problem in load_catalog().get("SSH_COMMAND").problems({"connection": "a", "command": command}, "")
    ]


def test_a_command_gives_its_output_and_exit_code(run_command: Any) -> None:
    assert run_command("echo hello; echo; echo careful >&2") == {
        "exitCode": 0,
        "stdout": "hello",
        "stderr": "careful\n",
    }


@pytest.mark.parametrize("value", HOSTILE)
def test_a_value_is_one_word_whatever_is_in_it(run_command: Any, tmp_path: Path, value: str) -> None:
    output = run_command("printf '%s|' before {{ trigger.x }} after; echo x={{ trigger.x }} >/dev/null", value)
    assert output["stdout"] == f"before|{value}|after|"
    assert not (tmp_path / "broken").exists()


@pytest.mark.parametrize(
    ("value", "words"),
    [(["a b", "$c"], "a b|$c|"), ([], ""), (3, "3|"), (True, "true|"), (None, "|"), ({"a": [1]}, '{"a":[1]}|')],
)
def test_values_that_are_no_texts(run_command: Any, value: Any, words: str) -> None:
    assert run_command("for one in {{ trigger.x }}; do printf '%s|' \"$one\"; done", value)["stdout"] == words


@pytest.mark.parametrize("value", HOSTILE)
def test_variables_and_the_folder_are_taken_literally(run_command: Any, tmp_path: Path, value: str) -> None:
    folder = tmp_path / f"of {value.strip('*~').strip()[:20]}".replace("/", "")
    folder.mkdir()
    output = run_command('printf "%s" "$VALUE|$(basename "$PWD")"', folder=str(folder), environment={"VALUE": value})
    assert output["stdout"] == f"{value}|{folder.name}".rstrip("\n")
    assert not (folder / "broken").exists()


def test_input_flows_in_while_output_flows_out(run_command: Any, files: KeptFiles) -> None:
    text = "line\n" * 400_000
    output = run_command("cat; echo end >&2", input=text, output="file", name="copy.csv")
    assert (output["file"]["name"], output["file"]["type"]) == ("copy.csv", "text/csv")
    assert (list(files.contents.values()), output["stderr"]) == ([text.encode()], "end\n")


def test_a_command_may_leave_its_input_unread(run_command: Any) -> None:
    assert run_command("echo done", input="x" * 5_000_000)["stdout"] == "done"


def test_only_the_end_of_the_errors_is_kept(run_command: Any) -> None:
    errors = run_command("seq 1 100000 >&2; echo last >&2")["stderr"]
    assert (len(errors), errors[-5:]) == (16 * 1024, "last\n")


def test_an_exit_code_fails_the_step_unless_it_is_wanted(run_command: Any) -> None:
    error = failing(run_command, "echo no such thing >&2; exit 3")
    assert str(error) == "the command ended with the exit code 3: no such thing"
    assert (error.permanent, error.answered) == (True, True)
    assert run_command("exit 3", fails=False)["exitCode"] == 3
    assert run_command("kill -9 $$", fails=False)["exitCode"] is None
    assert "ended by a signal" in str(failing(run_command, "kill -9 $$"))


def test_output_is_bounded(run_command: Any, files: KeptFiles) -> None:
    assert "asked for as a file" in str(failing(run_command, "yes"))
    files.most_bytes = 100_000
    error = failing(run_command, "yes", output="file")
    assert ("100000 bytes" in str(error), error.permanent) == (True, True)


def test_a_command_ends_with_the_time_of_its_step(run_command: Any) -> None:
    error = failing(run_command, "echo begun; sleep 6", seconds=4)
    assert ("may have been done" in str(error), error.permanent) == (True, True)


@pytest.mark.parametrize(
    ("command", "place"),
    [
        ("echo '{{ trigger.x }}'", "inside quotes"),
        ('echo "{{ trigger.x }}"', "inside quotes"),
        ("sh -c 'echo {{ trigger.x }}'", "inside quotes"),
        ("echo $'it\\'s {{ trigger.x }}'", "inside quotes"),
        ("echo a # don't\necho '{{ trigger.x }}'", "inside quotes"),
        ('echo "never closed {{ trigger.x }}', "inside quotes"),
        ("echo a # {{ trigger.x }}", "inside a comment"),
        ("cat <<EOF\n{{ trigger.x }}\nEOF", "inside a here-document"),
        ("echo $(( 1 + {{ trigger.x }} ))", "inside ((…))"),
        ("echo \\{{ trigger.x }}", "a backslash"),
        ("{{ trigger.x }}", "sh -c"),
        ("  ", "is empty"),
    ],
)
def test_where_a_value_could_not_be_one_word_it_is_refused(command: str, place: str) -> None:
    assert place in " ".join(problems(command))


@pytest.mark.parametrize(
    "command",
    [
        "ls {{ trigger.x }}",
        "echo it\\'s {{ trigger.x }} # don't",
        "echo 'a' {{ trigger.x }} \"b\"",
        "echo a#b {{ trigger.x }}",
        "cat <<< {{ trigger.x }}",
        "(cd {{ trigger.x }} && ls)",
        "sh -c {{ trigger.x }}",
        "uptime",
    ],
)
def test_where_it_is_one_word_it_is_taken(command: str) -> None:
    assert problems(command) == []


def test_a_misplaced_value_is_refused_where_nobody_has_checked(run_command: Any) -> None:
    assert "command: an expression stands inside quotes" in str(failing(run_command, "echo '{{ trigger.x }}'", "a"))


@pytest.mark.parametrize(
    ("config", "text"),
    [
        ({"environment": {"A-B": "1"}}, "environment: 'A-B' cannot be the name"),
        ({"environment": {"A": "a\0b"}}, "NUL"),
        ({"environment": {"A": "a" * 30_000}}, "more than 30000 bytes"),
    ],
)
def test_what_is_wrong_is_named(run_command: Any, config: dict[str, Any], text: str) -> None:
    error = failing(run_command, "true", **config)
    assert (text in str(error), error.permanent) == (True, True)


def test_a_server_with_another_key_gets_no_command(server: FileServer, make_context: MakeContext) -> None:
    saved = {**server.connection, "hostKey": "ssh-ed25519 AAAA"}
    error = failing(lambda: run_with("SSH_COMMAND", "sftp", saved, {"command": "true"}, make_context()))
    assert "another key" in str(error)


@pytest.mark.parametrize(
    "command",
    [
        "NAME={{ trigger.x }}; echo",
        "echo a{{ trigger.x }}",
        "echo {{ trigger.x }}/b",
        "NAME=a\\ {{ trigger.x }} ; echo",
    ],
)
@pytest.mark.parametrize("data", [["a", "touch", "broken"], []])
def test_a_list_that_touches_a_word_runs_nothing(run_command: Any, tmp_path: Path, command: str, data: Any) -> None:
    assert "a list is several words" in str(failing(run_command, command, data))
    assert not (tmp_path / "broken").exists()


@pytest.mark.parametrize(
    "command",
    ["printf '%s|' {{ trigger.x }}", "(printf '%s|' {{ trigger.x }})", "echo $(printf '%s|' {{ trigger.x }};)"],
)
def test_a_list_that_stands_alone_is_several_words(run_command: Any, command: str) -> None:
    assert run_command(command, ["a b", "c"])["stdout"] == "a b|c|"
