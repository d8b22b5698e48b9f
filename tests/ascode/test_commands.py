"""The commands, as somebody types them: against a server, and without one."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from werkzeug.serving import make_server

from flowforge.__main__ import main
from flowforge.wiring import Backends
from tests.descriptions import as_file, petstore
from tests.services.serving import serving
from webapp import create_app

EXAMPLES = Path(__file__).parents[2] / "examples"

ORDERS = """\
key: orders
name: Orders
trigger:
  type: webhook
actions:
  - id: text
    type: TRANSFORM
    config: { output: { text: "{{ trigger.body.name | upper }}" } }
"""


@dataclass(frozen=True, slots=True)
class Said:
    code: int
    text: str


@pytest.fixture
def flowforge(capsys: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    def run(*arguments: object) -> Said:
        code = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Said(code, captured.out + captured.err)

    return run


@pytest.fixture
def server(backends: Backends, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of the application; the environment names it, and somebody's token."""
    served = make_server("127.0.0.1", 0, create_app(backends=backends), threaded=True)
    url = f"http://127.0.0.1:{served.port}"
    account = {"username": "ada", "email": "ada@example.test", "password": "correct horse battery"}
    with serving(served):
        token = requests.post(f"{url}/auth/register", json=account, timeout=10).json()["access_token"]
        monkeypatch.setenv("FLOWFORGE_URL", url)
        monkeypatch.setenv("FLOWFORGE_TOKEN", token)
        yield url


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> Any:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", refuse)


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text)
    return folder


class TestApply:
    def test_creates_then_changes_and_then_has_nothing_to_do(
        self, server: str, flowforge: Callable[..., Said], tmp_path: Path
    ) -> None:
        write(tmp_path, orders=ORDERS)
        assert "1 created, 0 changed, 0 unchanged" in flowforge("apply", tmp_path).text
        assert "0 created, 0 changed, 1 unchanged" in flowforge("apply", tmp_path).text
        write(tmp_path, orders=ORDERS.replace("upper", "lower"))
        assert flowforge("apply", tmp_path, "--note", "quieter") == Said(
            0, f"changed    Orders ({tmp_path}/orders.yaml)\n0 created, 1 changed, 0 unchanged\n"
        )

    def test_does_all_or_nothing_and_names_file_line_and_field(
        self, server: str, flowforge: Callable[..., Said], tmp_path: Path
    ) -> None:
        broken = ORDERS.replace("key: orders", "key: other").replace("TRANSFORM", "TRANSFORMER")
        write(tmp_path, good=ORDERS, wrong=broken)
        refused = flowforge("apply", tmp_path)
        assert refused.code == 1
        assert f"{tmp_path}/wrong.yaml:7: /actions/0/type: there is no action type 'TRANSFORMER'" in refused.text
        assert "nothing was applied" in refused.text
        assert "0 exported" in flowforge("export", "-d", tmp_path / "out").text

    def test_a_dry_run_tells_and_does_nothing(
        self, server: str, flowforge: Callable[..., Said], tmp_path: Path
    ) -> None:
        write(tmp_path, orders=ORDERS)
        assert "1 created" in flowforge("apply", "--dry-run", tmp_path).text
        assert "1 created" in flowforge("apply", tmp_path).text

    def test_what_has_no_effect_is_told_and_applied(
        self, server: str, flowforge: Callable[..., Said], tmp_path: Path
    ) -> None:
        write(tmp_path, orders=ORDERS.replace("    config:", "    retires: 3\n    config:"))
        said = flowforge("apply", tmp_path)
        assert said.code == 0
        assert f"{tmp_path}/orders.yaml:8: warning: /actions/0/retires: is not known" in said.text
        assert "1 created" in said.text


class TestExport:
    def test_what_was_exported_is_applied_without_a_change(
        self, server: str, flowforge: Callable[..., Said], tmp_path: Path
    ) -> None:
        flowforge("apply", EXAMPLES.joinpath("expense-approval.yaml"), write(tmp_path, orders=ORDERS))
        out = tmp_path / "out"
        assert "2 exported" in flowforge("export", "-d", out).text
        assert sorted(path.name for path in out.iterdir()) == ["expense-approval.yaml", "orders.yaml"]
        assert "0 created, 0 changed, 2 unchanged" in flowforge("apply", out).text
        assert flowforge("diff", out).code == 0

    def test_a_workflow_that_is_not_there_is_said(
        self, server: str, flowforge: Callable[..., Said], tmp_path: Path
    ) -> None:
        said = flowforge("export", "nothing", "-d", tmp_path)
        assert (said.code, said.text) == (2, "flowforge: there is no workflow called nothing\n")


class TestDiff:
    def test_shows_what_would_change_and_says_so_by_its_exit_code(
        self, server: str, flowforge: Callable[..., Said], tmp_path: Path
    ) -> None:
        flowforge("apply", write(tmp_path, orders=ORDERS))
        write(tmp_path, orders=ORDERS.replace("upper", "lower"))
        said = flowforge("diff", tmp_path)
        assert said.code == 1
        assert "+" in said.text
        assert "lower" in said.text


class TestServer:
    def test_a_wrong_token_is_named(
        self, server: str, flowforge: Callable[..., Said], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("FLOWFORGE_TOKEN", "wrong")
        said = flowforge("apply", write(tmp_path, orders=ORDERS))
        assert said.code == 2
        assert "does not know you" in said.text

    def test_no_server_is_named(self, flowforge: Callable[..., Said], tmp_path: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
        said = flowforge("apply", "--url", f"http://127.0.0.1:{port}", write(tmp_path, orders=ORDERS))
        assert said.code == 2
        assert "does not answer" in said.text


@pytest.mark.usefixtures("offline")
class TestWithoutAServer:
    def test_the_examples_are_valid(self, flowforge: Callable[..., Said]) -> None:
        workflows = [file for file in EXAMPLES.glob("*.yaml") if not file.name.endswith(".test.yaml")]
        assert flowforge("validate", EXAMPLES) == Said(0, f"{len(workflows)} valid\n")

    def test_what_has_no_effect_is_told_with_its_line(self, flowforge: Callable[..., Said], tmp_path: Path) -> None:
        write(tmp_path, orders=ORDERS.replace("trigger:", "tirgger:"))
        warning = "/tirgger: is not known, so it has no effect; did you mean 'trigger'?"
        said = flowforge("validate", tmp_path)
        assert said == Said(0, f"{tmp_path}/orders.yaml:3: warning: {warning}\n1 valid\n")

    def test_the_examples_pass_their_tests(self, flowforge: Callable[..., Said]) -> None:
        said = flowforge("test", EXAMPLES)
        assert said.code == 0, said.text
        tests = sum(len(yaml.safe_load(file.read_text())["tests"]) for file in EXAMPLES.glob("*.test.yaml"))
        assert said.text.endswith(f"{tests} passed, 0 failed\n")

    def test_every_problem_of_every_file_is_told_at_once(self, flowforge: Callable[..., Said], tmp_path: Path) -> None:
        write(
            tmp_path,
            one="name: ''\nactions: [{ type: HTTP_REQUEST }]\n",
            two="name: Two\nactions:\n  - type: NOPE\n  - type: HTTP_REQUEST\n    config: {}\n",
            three="name: [\n",
        )
        said = flowforge("validate", tmp_path)
        assert said.code == 1
        for place in ("one.yaml:1: /name", "two.yaml:3: /actions/0/type", "two.yaml:5: /actions/1/config/url"):
            assert place in said.text
        assert "three.yaml:" in said.text

    def test_a_failing_test_shows_what_was_expected_and_what_came(
        self, flowforge: Callable[..., Said], tmp_path: Path
    ) -> None:
        write(tmp_path, orders=ORDERS)
        (tmp_path / "orders.test.yaml").write_text(
            "tests:\n"
            "  - name: shouts\n"
            "    trigger: { body: { name: ada } }\n"
            "    expect: { outputs: { text: { text: ADA } } }\n"
            "  - name: whispers\n"
            "    trigger: { body: { name: ada } }\n"
            "    expect: { outputs: { text: { text: ada } } }\n"
        )
        said = flowforge("test", tmp_path)
        assert said.code == 1
        assert "1 passed, 1 failed" in said.text
        assert "outputs.text.text: expected (-), found (+)\n       - ada\n       + ADA" in said.text

    def test_a_step_that_was_not_recorded_is_named(self, flowforge: Callable[..., Said], tmp_path: Path) -> None:
        write(
            tmp_path, site="name: Site\nactions:\n  - { id: look, type: HTTP_REQUEST, config: { url: 'http://x' } }\n"
        )
        (tmp_path / "site.test.yaml").write_text("tests: [{ name: looks }]\n")
        assert "step 'look' (HTTP_REQUEST) runs, and the test has no output for it" in flowforge("test", tmp_path).text

    def test_an_expression_that_gives_several_addresses_fails_as_it_would(
        self, flowforge: Callable[..., Said], tmp_path: Path
    ) -> None:
        mail = "{ to: '{{ trigger.to }}', subject: Hi, body: Hello, connection: post }"
        write(tmp_path, mail=f"name: Mail\nactions:\n  - {{ id: tell, type: SEND_EMAIL, config: {mail} }}\n")
        steps = "steps: { tell: { output: { sent: true } } }"
        called = "expect: { calls: { tell: { to: a@x.test } } }"
        (tmp_path / "mail.test.yaml").write_text(
            f"tests:\n  - {{ name: one, trigger: {{ to: a@x.test }}, {steps}, {called} }}\n"
            f"  - {{ name: both, trigger: {{ to: 'a@x.test, b@x.test' }}, {steps}, expect: {{ status: FAILED }} }}\n"
            f"  - {{ name: list, trigger: {{ to: [a@x.test, b@x.test] }}, {steps} }}\n"
        )
        said = flowforge("test", tmp_path)
        assert "3 passed, 0 failed" in said.text, said.text

    def test_the_time_limit_of_the_workflow_holds(self, flowforge: Callable[..., Said], tmp_path: Path) -> None:
        wait = "actions:\n  - { id: rest, type: WAIT, config: { seconds: 3600 } }\n"
        write(
            tmp_path,
            short=f"name: Short\nsettings: {{ timeout: 60 }}\n{wait}",
            long=f"name: Long\nsettings: {{ timeout: 3600 }}\n{wait}",
            retried=(
                "name: Retried\nsettings: { timeout: 60 }\nactions:\n"
                "  - { id: look, type: HTTP_REQUEST, config: { url: 'http://x' }, retry: { attempts: 3, delay: 50 } }\n"
            ),
        )
        ended = "{ status: FAILED, error: the execution took longer than its limit of 60 seconds }"
        (tmp_path / "short.test.yaml").write_text(f"tests: [{{ name: fails, expect: {ended} }}]\n")
        (tmp_path / "long.test.yaml").write_text("tests: [{ name: is in time, expect: { ran: [rest] } }]\n")
        (tmp_path / "retried.test.yaml").write_text(
            f"tests: [{{ name: fails, steps: {{ look: {{ attempts: [{{ error: busy }}] }} }}, expect: {ended} }}]\n"
        )
        said = flowforge("test", tmp_path)
        assert said.code == 0, said.text
        assert "3 passed, 0 failed" in said.text

    def test_a_misspelled_step_or_key_is_refused_with_its_line(
        self, flowforge: Callable[..., Said], tmp_path: Path
    ) -> None:
        write(tmp_path, orders=ORDERS)
        test = tmp_path / "orders.test.yaml"
        test.write_text("tests:\n  - name: one\n    expect:\n      ran: [txet]\n")
        assert "orders.test.yaml:4: /tests/0/expect/ran/0: the workflow has no step 'txet'; did you mean 'text'?" in (
            flowforge("test", test).text
        )
        test.write_text("tests:\n  - name: one\n    expcet: {}\n")
        assert "orders.test.yaml:3: /tests/0/expcet" in flowforge("test", test).text

    def test_the_schema_is_printed(self, flowforge: Callable[..., Said]) -> None:
        assert '"$schema"' in flowforge("schema").text


class TestApis:
    """The descriptions of APIs that workflows call travel with them."""

    @pytest.fixture
    def exported(self, server: str, flowforge: Callable[..., Said], tmp_path: Path) -> Path:
        """A folder with a workflow that calls an API, and its description; the server has neither any more."""
        token = {"Authorization": f"Bearer {os.environ['FLOWFORGE_TOKEN']}"}
        body = {"name": "petstore", "file": as_file(petstore())}
        api = requests.post(f"{server}/api/v1/apis", json=body, headers=token, timeout=10).json()
        call = {"id": "call", "type": "API_CALL", "config": {"api": "petstore", "operation": "listPets"}}
        workflow = {"name": "Pets", "actions": [call]}
        made = requests.post(f"{server}/api/v1/workflows", json=workflow, headers=token, timeout=10).json()
        assert flowforge("export", "-d", tmp_path).code == 0
        assert (tmp_path / "apis" / f"petstore@{api['version'].removeprefix('sha256:')}.json").is_file()
        for path in (f"workflows/{made['id']}", f"apis/{api['id']}?force=true"):
            assert requests.delete(f"{server}/api/v1/{path}", headers=token, timeout=10).ok
        return tmp_path

    def test_what_is_missing_is_added_under_the_same_name_and_once(
        self, exported: Path, flowforge: Callable[..., Said]
    ) -> None:
        first, second = flowforge("apply", exported), flowforge("apply", exported)
        assert (first.code, second.code) == (0, 0), first.text + second.text
        assert "added      petstore" in first.text
        assert "added      petstore" not in second.text
        assert "unchanged" in second.text

    def test_another_version_is_added_beside_the_one_that_is_there(
        self, server: str, exported: Path, flowforge: Callable[..., Said]
    ) -> None:
        token = {"Authorization": f"Bearer {os.environ['FLOWFORGE_TOKEN']}"}
        body = {"name": "petstore", "file": as_file(petstore(info={"title": "Petstore", "version": "9"}))}
        api = requests.post(f"{server}/api/v1/apis", json=body, headers=token, timeout=10).json()
        assert flowforge("apply", exported).code == 0
        kept = requests.get(f"{server}/api/v1/apis/{api['id']}", headers=token, timeout=10).json()
        assert (kept["version"], len(kept["versions"])) == (api["version"], 2)

    @pytest.mark.parametrize("command", [["diff"], ["apply", "--dry-run"]])
    def test_what_would_be_added_is_said_and_not_done(
        self, exported: Path, flowforge: Callable[..., Said], command: list[str]
    ) -> None:
        for _ in range(2):
            said = flowforge(*command, exported)
            assert said.code == 1
            assert "is not on the server; applying adds it first" in said.text
            assert "there is no API 'petstore'" in said.text

    @pytest.mark.parametrize(
        ("text", "words"), [("{}", "is neither OpenAPI"), (as_file(petstore(info={"title": "x"})), "is another")]
    )
    def test_a_file_that_is_not_what_its_name_says_is_refused(
        self, exported: Path, flowforge: Callable[..., Said], text: str, words: str
    ) -> None:
        [file] = (exported / "apis").iterdir()
        file.write_text(text)
        said = flowforge("apply", exported)
        assert said.code == 2
        assert file.name in said.text
        assert words in said.text
