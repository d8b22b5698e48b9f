"""The command palette: pages, actions, workflows and executions of an account, found by words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from flask import render_template, request, url_for
from flask_login import current_user

from flowforge.executions.recent import RecentExecution, recent, with_id
from flowforge.workflows import listing
from webapp.context import session
from webapp.translation.texts import gettext, lazy
from webapp.ui.base import blueprint
from webapp.ui.guard import viewer_id
from webapp.ui.standing_commands import ACTIONS, PAGES, StandingCommand
from webapp.ui.text import distance

_LONGEST_SEARCH = 200
_MOST_WORDS = 8
_MOST_WORKFLOWS = 6
_MOST_EXECUTIONS = 5
_EXECUTIONS_LOOKED_AT = 50
_VERBS = {"run": (lazy("Run {}"), "play", "ui.workflow"), "edit": (lazy("Edit {}"), "edit", "ui.builder")}
"""A word that says what is wanted of the workflow that the other words name: the title, the icon, and the page."""


@dataclass(frozen=True, slots=True)
class Command:
    """Something to go to or, with `is_action`, to do. `words`: what people also call it."""

    title: str
    icon: str
    address: str
    about: str = ""
    words: str = ""
    is_action: bool = False

    def has(self, words: Sequence[str]) -> bool:
        text = f"{self.title} {self.about} {self.words}".lower()
        return all(word in text for word in words)


@dataclass(frozen=True, slots=True)
class CommandGroup:
    title: str
    commands: Sequence[Command]


@blueprint.get("/commands")
def find_commands() -> str:
    """The groups with what has all words of `q`; without any, what is near at hand."""
    text = request.args.get("q", "")[:_LONGEST_SEARCH].strip()
    words = text.lower().split()[:_MOST_WORDS]
    standing = [
        CommandGroup(gettext("Actions"), _standing(ACTIONS, words)),
        CommandGroup(gettext("Pages"), _standing(PAGES, words)),
    ]
    own = [
        CommandGroup(gettext("Workflows"), _workflows(words)),
        CommandGroup(gettext("Executions"), _executions(text, words)),
    ]
    groups = [*standing, *own, CommandGroup(gettext("Help"), [_help(text)])] if words else [*own, *standing]
    return render_template("commands/_found.html", groups=[group for group in groups if group.commands])


def _standing(commands: Sequence[StandingCommand], words: Sequence[str]) -> list[Command]:
    drawn = [_drawn(one) for one in commands if current_user.is_administrator or not one.is_for_administrators]
    return [one for one in drawn if one.has(words)]


def _drawn(one: StandingCommand) -> Command:
    address = url_for(one.endpoint, **one.arguments)
    return Command(str(one.title), one.icon, address, words=one.words, is_action=one.is_action)


def _workflows(words: Sequence[str]) -> list[Command]:
    verb = words[0] if words and words[0] in _VERBS else ""
    title, icon, endpoint = _VERBS.get(verb, ("{}", "workflows", "ui.workflow"))
    found = listing.named(session(), viewer_id(), words[1:] if verb else words, _MOST_WORKFLOWS)
    anchor = "run-title" if verb == "run" else None
    return [
        Command(str(title).format(name), icon, url_for(endpoint, workflow_id=workflow_id, _anchor=anchor))
        for workflow_id, name in found
    ]


def _executions(text: str, words: Sequence[str]) -> list[Command]:
    """Those among the newest that have the words, or the one whose id was given."""
    id_ = _as_id(text)
    if id_ is not None:
        found = with_id(session(), viewer_id(), id_)
        return [_execution(found)] if found else []
    newest = recent(session(), viewer_id(), _EXECUTIONS_LOOKED_AT if words else _MOST_EXECUTIONS)
    return [one for one in map(_execution, newest) if one.has(words)][:_MOST_EXECUTIONS]


def _as_id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _execution(row: RecentExecution) -> Command:
    return Command(
        title=row.workflow or gettext("Deleted workflow"),
        icon="executions",
        address=url_for("ui.execution", execution_id=row.id),
        about=f"{row.status.capitalize()}, {distance(row.created_at)}",
        words=str(row.id),
    )


def _help(text: str) -> Command:
    """A search of the help for what was typed."""
    return Command(gettext("Search the help"), "help", url_for("help.show", path="", q=text), about=f"“{text}”")
