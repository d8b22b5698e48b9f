"""The commands for workflows as code, as `python -m flowforge` offers them.

Exit codes: 0 all is well, 1 problems (or differences), 2 wrong usage, or the server cannot be used.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from getpass import getpass
from pathlib import Path
from typing import Any

_USAGE = 2
Parsed = argparse.Namespace
Answer = Callable[[Parsed], int]


def add_commands(commands: Any) -> None:
    """Add the commands to the subparsers of an argument parser; each sets `answer`, which gives the exit code."""

    def add(name: str, answer: Answer, help_text: str) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = commands.add_parser(name, help=help_text, description=help_text)
        parser.set_defaults(answer=answer)
        return parser

    export = add("export", _export, "Write workflows of a server into files.")
    export.add_argument("names", nargs="*", metavar="name", help="key or name of a workflow; none: all of them")
    export.add_argument(
        "-d", "--directory", type=Path, default=Path(), metavar="folder", help="where to (default: here)"
    )
    apply = add("apply", _apply, "Bring workflow files to a server: all of them or, with problems, none.")
    _takes_files(apply)
    apply.add_argument("--dry-run", action="store_true", help="show what would be done, and do nothing")
    apply.add_argument("--note", help="kept with every version that is made")
    diff = add("diff", _diff, "Show what applying workflow files would change; exit 1 if anything.")
    _takes_files(diff)
    for parser in (export, apply, diff):
        parser.add_argument("--url", help="of the server (default: FLOWFORGE_URL, or http://127.0.0.1:8080)")
        parser.add_argument("--user", help="sign in with a name and a password, in place of FLOWFORGE_TOKEN")
    _takes_files(add("validate", _validate, "Check workflow files, without a server."))
    _takes_files(add("test", _test, "Run the tests of workflow files (*.test.yaml), without a server or network."))
    add("schema", _schema, "Print the JSON Schema of workflow files.")


def _takes_files(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("paths", nargs="+", type=Path, metavar="path", help="a file, or a folder of them")


def _export(parsed: Parsed) -> int:
    from flowforge.ascode import commands

    return _with_server(parsed, lambda client: commands.export(client, parsed.names, parsed.directory, _say()))


def _apply(parsed: Parsed) -> int:
    from flowforge.ascode import commands

    return _with_server(
        parsed,
        lambda client: commands.apply(client, parsed.paths, _say(), dry_run=parsed.dry_run, note=parsed.note),
    )


def _diff(parsed: Parsed) -> int:
    from flowforge.ascode import commands

    return _with_server(parsed, lambda client: commands.diff(client, parsed.paths, _say()))


def _validate(parsed: Parsed) -> int:
    from flowforge.ascode import commands

    return _run_guarded(lambda: commands.validate(parsed.paths, _say()))


def _test(parsed: Parsed) -> int:
    from flowforge.ascode.testing.command import run_tests

    return _run_guarded(lambda: run_tests(parsed.paths, _say()))


def _schema(_: Parsed) -> int:
    from flowforge.ascode import commands

    return commands.schema(_say())


def _with_server(parsed: Parsed, command: Callable[[Any], int]) -> int:
    from flowforge.ascode.client import Client, ServerSettings
    from flowforge.errors import FlowForgeError

    server = ServerSettings()
    user = parsed.user or (None if server.token else server.user)
    token = server.token.get_secret_value() if server.token and not user else None

    def connected() -> int:
        with Client(parsed.url or server.url, token) as client:
            if user:
                client.sign_in(user, server.password.get_secret_value() if server.password else getpass())
            return command(client)

    try:
        return _run_guarded(connected)
    except FlowForgeError as error:
        return _refuse(str(error))


def _run_guarded(command: Callable[[], int]) -> int:
    from flowforge.ascode.commands import Unreadable, report_unreadable
    from flowforge.ascode.files import Unusable

    try:
        return command()
    except Unreadable as error:
        return report_unreadable(error, _say())
    except Unusable as error:
        return _refuse(str(error))


def _refuse(message: str) -> int:
    sys.stderr.write(f"flowforge: {message}\n")
    return _USAGE


def _say() -> Callable[[str], None]:
    from flowforge.ascode.commands import to_standard_output

    return to_standard_output
