"""`python -m flowforge`: the command line of an installation."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from pydantic import ValidationError

from flowforge.ascode.command_line import add_commands
from flowforge.embedded.console import Console
from flowforge.embedded.instance import AlreadyRunning
from flowforge.embedded.server import CannotStart
from flowforge.errors import OtherSchema, Unavailable
from flowforge.home import UnusableHome, in_use
from flowforge.n8n.command_line import add_import
from flowforge.settings import Settings
from flowforge.users_command.command_line import add_commands as add_users

Command = Callable[[Settings], int]


def _run(settings: Settings) -> int:
    from flowforge.embedded.launcher import run

    run(settings)
    raise AssertionError("the supervisor has taken this process over")


def _set_up(settings: Settings) -> int:
    from flowforge.embedded.startup import set_up

    set_up(settings)
    return 0


def _greet(settings: Settings) -> int:
    from flowforge.embedded.startup import greet

    return 0 if greet(settings, Console()) else 1


def _web(settings: Settings) -> int:
    from flowforge.embedded.programs import listen_addresses, web_command

    command = web_command(settings, *listen_addresses(settings))
    os.execv(command[0], command)  # noqa: S606  our own command line


def _status(settings: Settings) -> int:
    from flowforge.embedded.status import report

    return report(settings)


def _healthy(settings: Settings) -> int:
    from flowforge.probe import ask_readiness

    ready, answer = ask_readiness(settings)
    Console().print(answer)
    return 0 if ready else 1


def _worker_healthy(settings: Settings) -> int:
    from flowforge.probe import a_worker_of_this_host_lives

    return 0 if a_worker_of_this_host_lives(settings) else 1


def _settings(_: Settings) -> int:
    from flowforge.settings_reference import env_example

    Console().print(env_example().rstrip("\n"))
    return 0


def _new_secrets(_: Settings) -> int:
    from flowforge.rotation import new_environment

    Console().print(new_environment())
    return 0


def _rotate_secrets(settings: Settings) -> int:
    from flowforge.rotation import rotate

    Console().print(f"Secrets sealed anew in {rotate(settings)} rows.")
    return 0


def _db_upgrade(settings: Settings) -> int:
    from flowforge.adoption import take_over_database
    from flowforge.topics_taken_over import refuse_rivals

    if settings.postgres_url is None:
        sys.exit("POSTGRES_URL is not set. The embedded database is migrated at every `run`.")
    refuse_rivals(settings)
    take_over_database(settings)
    return 0


def _db_downgrade(settings: Settings) -> int:
    from flowforge.db.migrate import PREVIOUS_RELEASE, downgrade
    from flowforge.embedded.database import database_at_rest

    with database_at_rest(settings) as url:
        downgrade(url)
    Console().print(f"The database has schema {PREVIOUS_RELEASE} again: start the release before this one.")
    return 0


def _restoring(file: str) -> Command:
    """Make the command that restores this file."""

    def restore_it(settings: Settings) -> int:
        from flowforge.embedded.restoring import restore

        restore(settings, Path(file))
        Console().print("Restored. The next start migrates, and goes on with what is owed.")
        return 0

    return restore_it


def _take_over(settings: Settings) -> int:
    from flowforge.adoption import take_over_database
    from flowforge.topics_taken_over import begin_where_they_stood

    if settings.postgres_url is not None:
        take_over_database(settings)
    begin_where_they_stood(settings)
    return _check_take_over(settings)


def _check_take_over(settings: Settings) -> int:
    from flowforge.topics_taken_over import report

    text, nothing_is_read_again = report(settings)
    Console().print(text)
    return 0 if nothing_is_read_again else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m flowforge", description="FlowForge, self-hosted workflow automation."
    )
    commands = parser.add_subparsers(required=True, metavar="command")

    def add(name: str, command: Command, help_text: str) -> None:
        commands.add_parser(name, help=help_text, description=help_text).set_defaults(command=command)

    add("run", _run, "Start everything on this machine and keep it running until Ctrl-C.")
    add("status", _status, "Show the processes of the instance in FLOWFORGE_HOME.")
    add("web", _web, "Start the web server alone (dashboard, API, webhooks).")
    add("healthy", _healthy, "Exit 0 if this machine's web server is ready.")
    add("worker-healthy", _worker_healthy, "Exit 0 if a worker of this machine lives.")
    add("settings", _settings, "Print every setting with its meaning, as .env.example has them.")
    add("set-up", _set_up, "Wait for the databases, then bring the schema up to date.")
    add("greet", _greet, "Wait until the instance is ready, then tell its address.")

    database = commands.add_parser("db", help="The database's schema.").add_subparsers(required=True, metavar="action")
    database.add_parser("upgrade", help="Bring the schema up to date.").set_defaults(command=_db_upgrade)
    undo = "Undo the migrations of this release, so that the one before can run. Stop everything first."
    database.add_parser("downgrade", help=undo, description=undo).set_defaults(command=_db_downgrade)
    replace = "Replace the database by a dump that pg_dump has made. Stop everything first."
    restore = database.add_parser("restore", help=replace, description=replace)
    restore.add_argument("command", metavar="file", type=_restoring, help="What `pg_dump --format=custom` has written.")

    take_over = commands.add_parser("take-over", help="Go on where an installation of the originals stopped.")
    take_over.add_argument(
        "--check",
        dest="command",
        action="store_const",
        const=_check_take_over,
        default=_take_over,
        help="Change nothing: say which messages of Kafka's topics would be read, and exit 1 if some would be again.",
    )

    secrets = commands.add_parser("secrets", help="Keys and sealed secrets.").add_subparsers(
        required=True, metavar="action"
    )
    secrets.add_parser("new", help="Print fresh secrets for a .env file.").set_defaults(command=_new_secrets)
    secrets.add_parser("rotate", help="Seal every secret anew under a new key.").set_defaults(command=_rotate_secrets)
    add_users(commands)
    add_commands(commands)
    add_import(commands)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    parsed = _parser().parse_args(arguments)
    if "answer" in parsed:  # needs none of an instance's settings
        return int(parsed.answer(parsed))
    try:
        settings = Settings()
        with in_use(settings.home):
            if "for_instance" in parsed:  # has arguments of its own
                return int(parsed.for_instance(settings, parsed))
            command: Command = parsed.command
            return command(settings)
    except ValidationError as error:
        problems = "\n".join(f"  {'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors())
        sys.exit(f"These settings can't be used:\n{problems}")
    except (CannotStart, AlreadyRunning, UnusableHome, OtherSchema, Unavailable) as error:
        sys.exit(f"FlowForge: {error}")


if __name__ == "__main__":
    sys.exit(main())
