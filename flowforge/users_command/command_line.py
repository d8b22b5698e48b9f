"""`python -m flowforge users …`: the accounts of an instance, for its operator.

Imports what an action does when it is asked for: every command of `flowforge` goes past here.
"""

from __future__ import annotations

import argparse
from functools import partial
from typing import Any

from flowforge.embedded.console import Console
from flowforge.errors import FlowForgeError
from flowforge.settings import Settings


def add_commands(commands: Any) -> None:
    """Adds `users` to the subparsers of a parser; each action sets `for_instance`, which gives the exit code."""
    actions = commands.add_parser("users", help="The accounts of the instance.").add_subparsers(
        required=True, metavar="action"
    )

    def add(name: str, help_text: str) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = actions.add_parser(name, help=help_text, description=help_text)
        parser.set_defaults(for_instance=partial(_run, name))
        return parser

    add("list", "Show every account.")
    adding = add("add", "Add an account, and show the link by which its password is set.")
    adding.add_argument("name")
    adding.add_argument("email")
    adding.add_argument("--admin", action="store_true", help="make it an administrator")
    for name, help_text in (
        ("reset", "Show a link by which the account's password is set anew."),
        ("reset-second-factor", "Let the account sign in with the password alone."),
        ("disable", "End whatever the account is signed in with, and stop its triggers."),
        ("enable", "Let a disabled account sign in again, and its triggers start workflows."),
        ("make-admin", "Make the account an administrator; the owner, where there is none."),
        ("make-member", "Take the rights of an administrator away."),
        ("make-owner", "Make the account the owner; the one until now becomes an administrator."),
    ):
        add(name, help_text).add_argument("name")

    deleting = add("delete", "Delete an account; without one of the options, show what it has.")
    deleting.add_argument("name")
    choice = deleting.add_mutually_exclusive_group()
    choice.add_argument("--hand-over-to", metavar="NAME", help="the account that gets what it has")
    choice.add_argument("--everything", action="store_true", help="delete what it has, too")


def _run(action: str, settings: Settings, parsed: argparse.Namespace) -> int:
    """Says what came of it."""
    from flowforge.users_command.operations import run

    console = Console()
    try:
        console.print(run(action, settings, parsed))
    except FlowForgeError as error:
        console.print(str(error))
        return 1
    return 0
