"""The panel of the open step, or of the trigger: its fields, what is wrong with them, and what they can use."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flowforge.connections.views import ConnectionView
from flowforge.connectors.account import Account
from flowforge.connectors.catalog import Catalog
from flowforge.connectors.sdk import CONNECTION
from flowforge.errors import Problem
from flowforge.jsonio import JsonObject
from flowforge.language import edits
from flowforge.language.blocks import BLOCKS, INNER_ROOTS
from flowforge.language.bodies import default_branch_name
from flowforge.language.expressions.resolving import VARIABLES
from flowforge.language.pointers import parsed
from flowforge.language.scope_rules import earlier, written_steps
from flowforge.preview.expression_context import ExpressionContext
from flowforge.workflows.api_steps import sample_output
from flowforge.workflows.validation import config_of
from webapp.translation.texts import gettext, lazy, translated
from webapp.ui.builder_flow import step_of
from webapp.ui.builder_trigger import TriggerPanel
from webapp.ui.data_tree import Datum, tree_of
from webapp.ui.fields import Field
from webapp.ui.kinds import kind_of
from webapp.ui.step_fields import essentials_first, form_of_step, labels_of, notes_of, put_into_words


@dataclass(frozen=True, slots=True)
class Branch:
    number: int
    name: str
    when: str
    has_condition: bool
    """False where all branches of the block are taken."""


@dataclass(frozen=True, slots=True)
class StepPanel:
    at: str
    kind: str
    """The title of its type."""
    help: str
    icon: str
    action: JsonObject
    values: JsonObject
    """Those of its fields."""
    fields: Sequence[Field]
    branches: Sequence[Branch]
    notes: Mapping[str, str]
    """Problems by the path of their field in the step: `config/url`, `branches/0/when`."""
    others: Sequence[str]
    """Problems that belong to no field."""
    data: Sequence[Datum]
    can_be_rejected: bool
    """Whether a person may refuse what it waits for."""
    can_fail: bool
    """Whether the step can be retried, and has a time limit."""
    calls_nobody: bool
    """Whether it can be done again without anybody noticing, so that nothing need be said about a crash."""
    is_repeatable: bool
    """Whether it is done again by itself where its executor dies in the call."""
    has_example_data: bool
    """Whether the trigger's data are only an example, since nothing has come in."""

    @property
    def attempts(self) -> str:
        retry = self.action.get("retry")
        return str(retry.get("attempts", "")) if isinstance(retry, dict) else ""

    @property
    def on_error(self) -> str:
        return _reaction(self.action.get("onError"))

    @property
    def on_reject(self) -> str:
        return _reaction(self.action.get("onReject"))


def _reaction(chosen: Any) -> str:
    return "handle" if isinstance(chosen, list) else "continue" if chosen == "continue" else "fail"


def step_panel(
    definition: Mapping[str, Any],
    at: str,
    problems: Sequence[Problem],
    catalog: Catalog,
    context: ExpressionContext,
    account: Account,
    connections: Sequence[ConnectionView],
    wanted: str | None = None,
) -> StepPanel:
    """`connections`: those of the account. `wanted`: the way to fill in its form that was chosen just now. Raises
    Invalid where there is no such step."""
    action = edits.step_at(definition, at)
    type_ = str(action.get("type", "")).upper()
    config = config_of(action) or {}
    kind = kind_of(catalog, type_)
    form = form_of_step(catalog, type_, config, account, connections, wanted)
    fields, branches = form.fields, _branches(action, type_)
    labels = _labels(fields, form.values, branches)
    own = [problem for problem in problems if step_of(problem.pointer) == at]
    notes = notes_of(at, form.placed(own, f"{at}/config"), labels)
    return StepPanel(
        at=at,
        kind=kind.title,
        help=form.about or kind.help,
        icon=kind.icon,
        action=action,
        values=form.values,
        fields=essentials_first(fields, _filled_by_connection(catalog, type_, config)),
        branches=branches,
        notes={path: message for path, message in notes.items() if path in labels},
        others=[message for path, message in notes.items() if path not in labels],
        data=_data(definition, at, context, lambda action: sample_output(catalog, account, action)),
        can_be_rejected=type_ in BLOCKS and BLOCKS[type_].can_be_rejected(config),
        can_fail=type_ not in BLOCKS,
        calls_nobody=catalog.calls_nobody(type_),
        is_repeatable=catalog.is_repeatable(type_, config),
        has_example_data=context.trigger_source == "sample",
    )


def notes_of_trigger(problems: Sequence[Problem], trigger: TriggerPanel) -> dict[str, str]:
    own = [problem for problem in problems if problem.pointer.startswith("/trigger")]
    placed = trigger.form.placed(own, "/trigger/config")
    return notes_of("/trigger", placed, labels_of(trigger.fields, trigger.form.values))


def _filled_by_connection(catalog: Catalog, type_: str, config: JsonObject) -> Sequence[str]:
    """The fields that the chosen connection fills in."""
    if not config.get(CONNECTION) or type_ not in catalog:
        return ()
    return catalog.get(type_).shared_fields


def put_problem_of_step_into_words(
    problem: Problem, at: str, action: JsonObject, catalog: Catalog, account: Account
) -> str:
    """A sentence that begins with the label of the field."""
    type_, config = str(action.get("type", "")).upper(), config_of(action) or {}
    form = form_of_step(catalog, type_, config, account)
    [placed] = form.placed([problem], f"{at}/config")
    return put_into_words(at, placed, _labels(form.fields, form.values, _branches(action, type_)))[1]


def _labels(fields: Sequence[Field], config: JsonObject, branches: Sequence[Branch]) -> dict[str, str]:
    labels = {place: str(label) for place, label in _OF_ALL_STEPS.items()} | labels_of(fields, config)
    for branch in branches:
        place = f"branches/{branch.number}"
        labels |= {
            f"{place}/name": gettext("Name"),
            f"{place}/when": gettext("Condition of “%(branch)s”", branch=branch.name),
        }
    return labels


def _branches(action: Mapping[str, Any], type_: str) -> list[Branch]:
    found, block = [], BLOCKS.get(type_)
    has_conditions = block is not None and block.bodies.has_conditions
    for number, branch in enumerate(action.get("branches") or ()):
        if isinstance(branch, dict):
            when = branch.get("when")
            text = when if isinstance(when, str) else "" if when is None else f"{{{{ {str(when).lower()} }}}}"
            name = str(branch.get("name") or default_branch_name(number))
            found.append(Branch(number, name, text, has_conditions))
    return found


def _data(
    definition: Mapping[str, Any],
    at: str,
    context: ExpressionContext,
    sample: Callable[[JsonObject], JsonObject | None],
) -> list[Datum]:
    """List the data that the step can refer to, the nearest first and the trigger last. A step that has not run yet is
    listed with what its API's description says, or by name only."""
    roots = context.roots
    found = [tree_of(translated(root.title), roots[name], name) for name, root in INNER_ROOTS.items() if name in roots]
    if "error" in roots:
        found.append(tree_of(gettext("The error"), roots["error"], "error"))
    for step in reversed(earlier(written_steps(definition), parsed(at))):
        name, output = str(step.action.get("name") or step.id), roots["steps"].get(step.id)
        if output is None:
            output = sample(step.action)
            name, output = (
                (gettext("%(step)s (from the API's description)", step=name), output)
                if output
                else (name, gettext("has not run yet"))
            )
        found.append(tree_of(name, output, f"steps.{step.id}"))
    if roots.get(VARIABLES):
        found.append(tree_of(gettext("Variables"), roots[VARIABLES], VARIABLES))
    title = gettext("Trigger (example)") if context.trigger_source == "sample" else gettext("Trigger")
    return [*found, tree_of(title, roots["trigger"], "trigger")]


_OF_ALL_STEPS = {
    "name": lazy("Name"),
    "note": lazy("Note"),
    "id": lazy("ID in expressions"),
    "when": lazy("Only run if"),
    "timeout": lazy("Time limit"),
    "retry/attempts": lazy("Maximum attempts"),
    "afterCrash": lazy("If FlowForge crashes during the call"),
}
