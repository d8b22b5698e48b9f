"""The processes of a one-machine installation, and their supervisor configuration."""

from __future__ import annotations

import os
import re
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from flowforge.embedded.server import CannotStart, EmbeddedServer

if TYPE_CHECKING:  # the supervisor imports this module and has to stay small
    from flowforge.settings import Settings

SET_UP = "set-up"
GREETER = "greeter"
WORKERS = "workers"
VALKEY = "valkey"

# Stopped from the highest to the lowest, group by group: nothing loses its database while it still works.
_DATABASES, _WORKERS, _WEB, _ONE_SHOT = 10, 20, 30, 40
_NEVER_GIVE_UP = 1_000_000
_UNUSABLE = re.compile(r"[\r\n]|\s[;#]")


@dataclass(frozen=True, slots=True)
class Program:
    """One supervised process. `at_once` starts before the set-up is done; the others wait for it."""

    name: str
    group: str
    priority: int
    command: tuple[str, ...]
    at_once: bool = False
    kept_alive: bool = True
    user: str | None = None
    stop_signal: str = "TERM"
    stop_seconds: int = 10


def programs(settings: Settings, servers: dict[str, EmbeddedServer], listeners: Sequence[int]) -> list[Program]:
    """List the programs that `run` starts: the embedded servers, the one-shot set-up and greeter, the web server, the
    workers."""
    python = sys.executable
    binds = [f"fd://{listener}" for listener in listeners]
    return [
        *(_database(name, server) for name, server in servers.items()),
        _one_shot(SET_UP, (python, "-m", "flowforge", "set-up"), at_once=True),
        Program(
            WORKERS, "workers", _WORKERS, (python, "-m", "workers.all_workers"), stop_seconds=_ends_within(settings)
        ),
        Program("web", "web", _WEB, web_command(settings, *binds), stop_seconds=5),
        _one_shot(GREETER, (python, "-m", "flowforge", "greet")),
    ]


def _ends_within(settings: Settings) -> int:
    """The seconds after which the workers have ended by themselves: their parent kills what has not."""
    return settings.drain_seconds + 15


def listen_addresses(settings: Settings) -> list[str]:
    """`host:port` for each port the web server answers on."""
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return [f"{host}:{port}" for port in (settings.port, settings.legacy_webhook_port) if port]


def web_command(settings: Settings, *binds: str) -> tuple[str, ...]:
    """The command line of the web server on these addresses, each as gunicorn's `--bind` takes it."""
    return (
        *(sys.executable, "-m", "gunicorn", "--config", "python:webapp.server.gunicorn_config"),
        *(part for bind in binds for part in ("--bind", bind)),
        *("--threads", str(settings.web_threads), "--workers", str(settings.web_processes)),
        *("--log-level", settings.log_level.lower(), "webapp:create_app()"),
    )


def _database(name: str, server: EmbeddedServer) -> Program:
    signal_name = server.stop_signal.name.removeprefix("SIG")
    return Program(
        name,
        "databases",
        _DATABASES,
        server.command,
        at_once=True,
        user=server.user,
        stop_signal=signal_name,
        stop_seconds=30,  # a last checkpoint may take a while; to kill it would only make the next start slower
    )


def _one_shot(name: str, command: tuple[str, ...], *, at_once: bool = False) -> Program:
    return Program(name, "start-up", _ONE_SHOT, command, at_once=at_once, kept_alive=False, stop_seconds=3)


def supervisor_configuration(home: Path, listed: list[Program]) -> str:
    """The text of a supervisord.conf. URLs and other values reach the programs by the environment, not through it."""
    logs = home / "logs"
    head = {
        "nodaemon": "true",
        "silent": "true",
        "logfile": _escape(logs / "supervisor.log"),
        "logfile_maxbytes": "2MB",
        "logfile_backups": "2",
        "pidfile": _escape(home / "run" / "supervisor.pid"),
        "childlogdir": _escape(logs),
        "nocleanup": "true",
        "minprocs": "50",
    }
    if os.geteuid() == 0:
        head["user"] = "root"  # explicit, or supervisord warns of it at every start
    sections = [_section("supervisord", head)]
    sections += [_section(f"program:{program.name}", _program_options(program, logs)) for program in listed]
    groups = {program.group: program.priority for program in listed}
    for group, priority in groups.items():
        members = ",".join(program.name for program in listed if program.group == group)
        sections.append(_section(f"group:{group}", {"programs": members, "priority": str(priority)}))
    return "\n".join(sections)


def _program_options(program: Program, logs: Path) -> dict[str, str]:
    options = {
        "command": _escape(shlex.join(program.command)),
        "autostart": "true" if program.at_once else "false",
        "autorestart": "true" if program.kept_alive else "false",
        "startsecs": "5" if program.kept_alive else "0",  # what ends sooner is tried again after growing pauses
        "startretries": str(_NEVER_GIVE_UP if program.kept_alive else 0),
        "stopsignal": program.stop_signal,
        "stopwaitsecs": str(program.stop_seconds),
        "killasgroup": "true",
        "redirect_stderr": "true",
        "stdout_logfile": _escape(_escape(logs / f"{program.name}.log")),  # the one option that is expanded twice
        "stdout_logfile_maxbytes": "5MB",
        "stdout_logfile_backups": "3",
        "stdout_events_enabled": "true",
    }
    return options | ({"user": program.user} if program.user else {})


def _section(name: str, options: dict[str, str]) -> str:
    return "\n".join([f"[{name}]", *(f"{key} = {value}" for key, value in options.items()), ""])


def _escape(value: str | Path) -> str:
    """`%` starts an expansion in a supervisor configuration."""
    refuse_unusable(value)
    return str(value).replace("%", "%%")


def refuse_unusable(path: str | Path) -> None:
    """Raises CannotStart for a path that a supervisor configuration cannot hold: nothing escapes a comment there."""
    if _UNUSABLE.search(str(path)):
        raise CannotStart(f"a path must have no line break, and no blank before ';' or '#': {str(path)!r}")
