"""The panel of the open step, or of the trigger: its fields, what is wrong with them, and what they can use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flowforge.connectors.catalog import Catalog
from flowforge.connectors.sdk import CONNECTION, Connector
from flowforge.errors import Problem
from flowforge.jsonio import JsonObject
from flowforge.language import edits
from flowforge.language.blocks import BLOCKS, INNER_ROOTS
from flowforge.language.bodies import default_branch_name
from flowforge.language.pointers import parsed
from flowforge.language.scope_rules import earlier, written_steps
from flowforge.preview.expression_context import ExpressionContext
from webapp.ui.builder_flow import step_of
from webapp.ui.conditions import Condition, read_condition
from webapp.ui.data_tree import Datum, tree_of
from webapp.ui.forms import Field, fields_of
from webapp.ui.kinds import kind_of

_ALWAYS_SHOWN = 6
"""The most fields that are all shown; of more, the optional ones are folded away."""
_FIRST_OPTIONAL = 2


@dataclass(frozen=True, slots=True)
class Branch:
    number: int
    name: str
    when: str
    condition: Condition | None
    """None where only an expression can say it."""
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
    config: JsonObject
    fields: Sequence[Field]
    more: Sequence[Field]
    """Folded away."""
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
    connections: Mapping[str, Sequence[str]],
) -> StepPanel:
    """`connections`: names by type. Raises Invalid where there is no such step."""
    action = edits.step_at(definition, at)
    type_ = str(action.get("type", "")).upper()
    config = action["config"] if isinstance(action.get("config"), dict) else {}
    kind = kind_of(catalog, type_)
    fields = fields_of_type(catalog, type_, connections)
    branches = _branches(action, type_)
    notes = _notes(at, [problem for problem in problems if step_of(problem.pointer) == at], fields)
    drawn = _drawn(fields, config, branches)
    shown = _select_visible(fields, _filled_by_connection(catalog, type_, config))
    return StepPanel(
        at=at,
        kind=kind.title,
        help=kind.help,
        icon=kind.icon,
        action=action,
        config=config,
        fields=shown,
        more=[field for field in fields if field not in shown],
        branches=branches,
        notes={path: message for path, message in notes.items() if path in drawn},
        others=[message for path, message in notes.items() if path not in drawn],
        data=_data(definition, at, context),
        can_be_rejected=type_ in BLOCKS and BLOCKS[type_].can_be_rejected(config),
        can_fail=type_ not in BLOCKS,
        calls_nobody=catalog.calls_nobody(type_),
        is_repeatable=catalog.is_repeatable(type_, config),
        has_example_data=context.trigger_source == "sample",
    )


def fields_of_type(catalog: Catalog, type_: str, connections: Mapping[str, Sequence[str]] | None = None) -> list[Field]:
    """List the fields of a type; none for an unknown one. The connection comes first, where the type takes one."""
    if type_ in BLOCKS:
        return fields_of(BLOCKS[type_].config_schema())
    if type_ not in catalog.types():
        return []
    connector = catalog.get(type_)
    fields = fields_of(connector.config_schema())
    kinds = catalog.kinds_for(connector)
    names = [name for kind in kinds for name in (connections or {}).get(kind.type, ())]
    return [_connection_field(connector, fields, names), *fields] if kinds else fields


def _connection_field(connector: Connector[Any], fields: Sequence[Field], names: Sequence[str]) -> Field:
    titles = [field.label for field in fields if field.key in connector.shared_fields]
    help_text = f"Fills in what is left empty here of: {', '.join(titles)}." if titles else ""
    return Field(CONNECTION, "Connection", help_text, "choice", not titles and not connector.any_signer, None, names)


def notes_of_trigger(problems: Sequence[Problem], fields: Sequence[Field]) -> dict[str, str]:
    return _notes("/trigger", [problem for problem in problems if problem.pointer.startswith("/trigger")], fields)


def _filled_by_connection(catalog: Catalog, type_: str, config: JsonObject) -> Sequence[str]:
    """The fields that the chosen connection fills in."""
    if not config.get(CONNECTION) or type_ not in catalog.types():
        return ()
    return catalog.get(type_).shared_fields


def _select_visible(fields: Sequence[Field], filled: Sequence[str]) -> list[Field]:
    fields = [field for field in fields if field.key not in filled]
    if len(fields) <= _ALWAYS_SHOWN:
        return list(fields)
    first = [field for field in fields if field.required or field.key == CONNECTION]
    return first + [field for field in fields if field not in first][:_FIRST_OPTIONAL]


def _notes(at: str, problems: Sequence[Problem], fields: Sequence[Field]) -> dict[str, str]:
    """The first problem of each field; what is wrong inside a field is the field's."""
    notes: dict[str, str] = {}
    records = {field.key for field in fields if field.kind == "records"}
    for problem in problems:
        parts = problem.pointer.removeprefix(at).strip("/").split("/")
        depth = 3 if parts[0] == "branches" else 4 if records.intersection(parts[1:2]) else 2
        inside = " › ".join(parts[depth:])
        message = f"{inside}: {problem.message}" if inside else problem.message
        notes.setdefault("/".join(parts[:depth]), message)
    return notes


def _drawn(fields: Sequence[Field], config: JsonObject, branches: Sequence[Branch]) -> set[str]:
    """Collect the paths that have a field of their own."""
    own = {"name", "id", "when", "timeout", "retry/attempts", "afterCrash"}
    own |= {f"config/{field.key}" for field in fields}
    own |= {path for field in fields for path in _paths_in_records(field, config)}
    return own | {f"branches/{branch.number}/{part}" for branch in branches for part in ("name", "when")}


def _paths_in_records(field: Field, config: JsonObject) -> Iterator[str]:
    for number in range(len(field.records(config))):
        yield from (f"config/{field.key}/{number}/{inner.key}" for inner in field.inner)


def _branches(action: Mapping[str, Any], type_: str) -> list[Branch]:
    found, block = [], BLOCKS.get(type_)
    has_conditions = block is not None and block.bodies.has_conditions
    for number, branch in enumerate(action.get("branches") or ()):
        if isinstance(branch, dict):
            when = branch.get("when")
            text = when if isinstance(when, str) else "" if when is None else f"{{{{ {str(when).lower()} }}}}"
            condition = read_condition(text) if has_conditions else None
            name = str(branch.get("name") or default_branch_name(number))
            found.append(Branch(number, name, text, condition, has_conditions))
    return found


def _data(definition: Mapping[str, Any], at: str, context: ExpressionContext) -> list[Datum]:
    """List the data that the step can refer to, the nearest first and the trigger last. A step that has not run yet is
    listed by name only."""
    roots = context.roots
    found = [tree_of(label, roots[root], root) for root, label in _AROUND.items() if root in roots]
    for step in reversed(earlier(written_steps(definition), parsed(at))):
        name = str(step.action.get("name") or step.id)
        found.append(tree_of(name, roots["steps"].get(step.id, "has not run yet"), f"steps.{step.id}"))
    title = "Trigger, for example" if context.trigger_source == "sample" else "Trigger"
    return [*found, tree_of(title, roots["trigger"], "trigger")]


_AROUND = {name: root.title for name, root in INNER_ROOTS.items()} | {"error": "The error"}
