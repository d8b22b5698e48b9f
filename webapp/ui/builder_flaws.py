"""What keeps a draft from being published, in sentences that name the step and the label of the field: “Slack message:
Message is required”."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flowforge.connectors.account import Account
from flowforge.connectors.catalog import Catalog
from flowforge.errors import Problem
from flowforge.language.pointers import pointer
from flowforge.language.tree import actions_in
from flowforge.workflows.validation import config_of
from webapp.translation.texts import gettext, lazy
from webapp.ui.builder_flow import is_unfilled, step_of, step_title
from webapp.ui.builder_panel import put_problem_of_step_into_words
from webapp.ui.builder_settings import SETTINGS, placed, settings_panel
from webapp.ui.builder_trigger import trigger_form
from webapp.ui.step_fields import labels_of, put_into_words

_OF_WORKFLOW = {"name": lazy("Name")}


@dataclass(frozen=True, slots=True)
class Flaw:
    """A problem as the builder shows it. `at`: the step or the trigger that is opened to solve it."""

    at: str
    title: str
    """The name of the step."""
    message: str
    """A sentence that begins with the label of the field."""
    is_unfilled: bool
    """Whether something is only not filled in yet."""

    def __str__(self) -> str:
        return f"{self.title}: {self.message}"


def flaws_of(
    definition: Mapping[str, Any], problems: Sequence[Problem], catalog: Catalog, account: Account
) -> list[Flaw]:
    """Secrets in `definition` are masked."""
    if not problems:
        return []
    flaws = _Flaws(definition, catalog, account)
    return [flaws.of(problem) for problem in problems]


class _Flaws:
    def __init__(self, definition: Mapping[str, Any], catalog: Catalog, account: Account) -> None:
        self._catalog, self._account = catalog, account
        self._steps = {pointer(path): action for path, action in actions_in(definition.get("actions"))}
        self._definition, self._trigger = definition, definition.get("trigger")

    def of(self, problem: Problem) -> Flaw:
        at = step_of(problem.pointer)
        if at in self._steps:
            title = step_title(self._steps[at], self._catalog)
            sentence = put_problem_of_step_into_words(problem, at, self._steps[at], self._catalog, self._account)
        elif problem.pointer.startswith("/trigger"):
            at, title, sentence = "trigger", gettext("Trigger"), self._of_trigger(problem)
        elif problem.pointer.startswith(f"/{SETTINGS}/"):
            at, title, sentence = SETTINGS, gettext("Settings"), self._of_settings(problem)
        else:
            at, title, sentence = "trigger", gettext("Workflow"), put_into_words("", problem, _OF_WORKFLOW)[1]
        return Flaw(at, title, sentence, is_unfilled(problem))

    def _of_settings(self, problem: Problem) -> str:
        panel = settings_panel(self._definition)
        return put_into_words("", placed(problem), labels_of(panel.fields, panel.values))[1]

    def _of_trigger(self, problem: Problem) -> str:
        trigger = self._trigger if isinstance(self._trigger, dict) else {}
        form = trigger_form(str(trigger.get("type", "")).lower(), config_of(trigger) or {})
        [placed] = form.placed([problem], "/trigger/config")
        return put_into_words("/trigger", placed, labels_of(form.fields, form.values))[1]
