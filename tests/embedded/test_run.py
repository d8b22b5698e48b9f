"""`python -m flowforge run`: everything starts, stays up, and goes away together."""

from __future__ import annotations

import os
import signal
import socket
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psutil
import pytest
import requests

from flowforge.embedded.status import processes_of, report
from flowforge.probe import a_worker_of_this_host_lives, ask_readiness
from flowforge.settings import Settings
from tests.embedded.running import PROGRAMS, Instance, instance, start
from tests.waiting import eventually

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def running(module_folder: Path) -> Iterator[tuple[Instance, str]]:
    with instance(module_folder, LEGACY_WEBHOOK_PORT=str(_free_port())) as started:
        yield started, started.wait_until_ready()
        assert started.stop(signal.SIGINT) == 0


def test_everything_answers_and_says_how_to_sign_in(running: tuple[Instance, str]) -> None:
    started, address = running
    assert requests.get(f"{address}/health/ready", timeout=10).status_code == 200
    eventually(lambda: set(processes_of(started.home)) >= PROGRAMS)
    assert "create your account" in started.output


def test_health_checks_and_status_see_it(running: tuple[Instance, str], capsys: pytest.CaptureFixture[str]) -> None:
    started, address = running
    settings = Settings(
        _env_file=None,
        home=started.home,
        port=int(address.rpartition(":")[2]),
        redis_url=f"unix://{started.home}/valkey/valkey.sock",
    )
    assert ask_readiness(settings)[0]
    assert eventually(lambda: a_worker_of_this_host_lives(settings))
    assert report(settings) == 0
    assert "orchestrator" in capsys.readouterr().out


def test_health_checks_and_status_tell_what_does_not_run(tmp_path: Path, redis_url: str) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as unused:
        port = unused.getsockname()[1]
    settings = Settings(_env_file=None, home=tmp_path, port=port, redis_url=redis_url)
    assert ask_readiness(settings) == (False, "the web server does not answer")
    assert not a_worker_of_this_host_lives(settings)
    assert report(settings) == 3


def test_secrets_are_made_for_the_owner_alone(running: tuple[Instance, str]) -> None:
    started, _ = running
    files = list((started.home / "secrets").iterdir())
    assert len(files) == 3
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert stat.S_IMODE((started.home / "secrets").stat().st_mode) == 0o700


def test_a_second_start_on_the_same_home_is_refused(running: tuple[Instance, str]) -> None:
    started, address = running
    second = start(started.home.parent, PORT="0")
    assert second.process.wait(30) == 1
    assert f"already running on {started.home} (process {started.process.pid})" in second.output
    assert requests.get(f"{address}/health/live", timeout=10).status_code == 200


def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        port = other.getsockname()[1]
        refused = start(tmp_path, PORT=str(port))
        assert refused.process.wait(30) == 1
    assert f"can't use port {port} of 127.0.0.1" in refused.output
    assert not (tmp_path / "home" / "postgres").exists(), "nothing was begun"


def test_a_second_port_in_use_is_named(tmp_path: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        port = other.getsockname()[1]
        refused = start(tmp_path, PORT="0", LEGACY_WEBHOOK_PORT=str(port))
        assert refused.process.wait(30) == 1
    assert f"can't use port {port} of 127.0.0.1" in refused.output
    assert "LEGACY_WEBHOOK_PORT=" in refused.output


@pytest.mark.parametrize("name", ["blank ;comment", "new\nline", "blank #comment"])
def test_a_home_that_cannot_be_is_refused_before_anything_is_made(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    folder.mkdir()
    refused = start(folder, PORT="0")
    assert refused.process.wait(30) == 1
    assert refused.output.startswith("FlowForge: a path must have no line break")
    assert len(refused.output.splitlines()) == 1
    assert not (folder / "home").exists()


def _a_file(home: Path) -> Path:
    home.touch()
    return home


def _a_place_where_nobody_may_write(home: Path) -> Path:
    """Not even root."""
    home.symlink_to("/proc/flowforge/home")
    return Path("/proc/flowforge")


def _a_file_where_a_folder_belongs(home: Path) -> Path:
    home.mkdir()
    (home / "secrets").touch()
    return home / "secrets"


def _a_folder_where_a_file_belongs(home: Path) -> Path:
    (home / "secrets" / "jwt.key").mkdir(parents=True)
    return home / "secrets" / "jwt.key"


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
@pytest.mark.parametrize(
    "home_is",
    [_a_file, _a_place_where_nobody_may_write, _a_file_where_a_folder_belongs, _a_folder_where_a_file_belongs],
)
def test_a_home_that_cannot_be_used_is_refused_in_one_sentence(tmp_path: Path, home_is: Callable[[Path], Path]) -> None:
    obstacle = home_is(tmp_path / "home")
    refused = start(tmp_path, PORT="0")
    assert refused.process.wait(30) == 1
    assert refused.output.startswith("FlowForge: can't use the home ")
    assert f": {obstacle}); choose another with FLOWFORGE_HOME=" in refused.output
    assert len(refused.output.splitlines()) == 1


def test_an_unusable_setting_is_named(tmp_path: Path) -> None:
    refused = start(tmp_path, PORT="nonsense")
    assert refused.process.wait(30) == 1
    assert "PORT: Input should be a valid integer" in refused.output


@pytest.mark.parametrize("program", ["web", "executor", "workers", "valkey", "postgres"])
def test_a_killed_program_is_started_again(running: tuple[Instance, str], program: str) -> None:
    started, address = running
    before = eventually(lambda: started.pid_of(program))
    os.kill(before, signal.SIGKILL)

    eventually(lambda: started.pid_of(program) != before)
    eventually(lambda: _is_ready(address))


@pytest.fixture
def hanging_up() -> Iterator[None]:
    """Children hear of a hang-up, although the tests may run under nohup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.usefixtures("hanging_up")
def test_signals_end_every_process_of_one_instance_and_its_data_stay(running: tuple[Instance, str], home: Path) -> None:
    _, neighbour = running
    with instance(home.parent) as first:
        address = first.wait_until_ready()
        assert address != neighbour
        account = {"username": "ada", "email": "ada@example.org", "password": "correct horse battery"}
        assert requests.post(f"{address}/auth/register", json=account, timeout=10).status_code == 200
        family = first.processes()
        assert first.stop(signal.SIGTERM) == 0
        assert not [process for process in family if process.is_running()]

    with instance(home.parent) as second:
        address = second.wait_until_ready()
        known = {"username": "ada", "password": "correct horse battery"}
        assert requests.post(f"{address}/auth/login", json=known, timeout=10).status_code == 200
        family = second.processes()
        second.process.kill()  # the launcher gets no chance to stop anything
        second.process.wait(10)

    with instance(home.parent) as third:
        third.wait_until_ready()
        assert not [process for process in family if process.is_running()]
        assert third.stop(signal.SIGHUP) == 0
    assert _is_ready(neighbour)


def test_urls_that_the_originals_handed_out_are_answered(running: tuple[Instance, str]) -> None:
    started, address = running
    web = psutil.Process(started.pid_of("web"))
    ports = {one.laddr.port for one in web.net_connections(kind="inet") if one.status == psutil.CONN_LISTEN}
    main = int(address.rpartition(":")[2])
    assert main in ports
    (legacy,) = ports - {main}
    answer = requests.post(f"http://127.0.0.1:{legacy}/webhook/nobody", timeout=10)
    assert (answer.status_code, answer.json()) == (404, {"success": False, "error": "Invalid webhook token"})


def _free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as unused:
        port: int = unused.getsockname()[1]
        return port


def _is_ready(address: str) -> bool:
    return requests.get(f"{address}/health/ready", timeout=10).status_code == 200


def test_nothing_listens_beyond_the_loopback(running: tuple[Instance, str]) -> None:
    started, _ = running
    listening = {
        connection.laddr.ip
        for process in started.processes()
        for connection in process.net_connections(kind="inet")
        if connection.status == psutil.CONN_LISTEN
    }
    assert listening == {"127.0.0.1"}
