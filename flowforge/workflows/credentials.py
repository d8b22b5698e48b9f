"""Check of the connections, named secrets and variables that a definition uses: whether they exist."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from flowforge.connectors.catalog import Catalog
from flowforge.connectors.named_connection import problem_of_connection
from flowforge.connectors.sdk import CONNECTION
from flowforge.db.tables import Connection, NamedSecret, VariableRow
from flowforge.errors import Problem
from flowforge.jsonio import JsonObject
from flowforge.language.definition import TriggerDefinition, WorkflowDefinition
from flowforge.language.evaluation.names import hint, quoted
from flowforge.language.expressions.resolving import VARIABLES, references_in, texts
from flowforge.language.expressions.secret_values import SECRETS, HiddenSecrets
from flowforge.language.expressions.template import TemplateFailure
from flowforge.language.pointers import pointer
from flowforge.language.repair import UNREAD
from flowforge.language.tree import actions_in
from flowforge.secrets import MASK
from flowforge.sentences import sentence
from flowforge.triggers.connected import problems_of_connection
from flowforge.triggers.kinds import find_kind

_WHOSE = sentence("step")


def problems_of_credentials(
    session: Session, catalog: Catalog, user_id: UUID, definition: WorkflowDefinition
) -> list[Problem]:
    """Names that nothing has. A statement each for connections, secrets and variables, where any are called."""
    actions = definition.dump()["actions"]
    return [
        *_problems_of_connections(session, catalog, user_id, actions),
        *_problems_of_trigger(session, user_id, definition.trigger),
        *_problems_of_secrets(session, user_id, actions),
        *_problems_of_variables(session, user_id, actions),
    ]


def masked_secrets(value: Any) -> JsonObject:
    """The root `secrets` for those who only look: every secret that the value calls, masked; nothing where none is."""
    called = HiddenSecrets({name: MASK for _, text in texts(value) for name in _names_in(text, SECRETS)})
    return {SECRETS: called} if called else {}


def _problems_of_connections(session: Session, catalog: Catalog, user_id: UUID, actions: Any) -> Iterator[Problem]:
    called = [(path, action) for path, action in actions_in(actions) if (action.get("config") or {}).get(CONNECTION)]
    if not called:
        return
    mine = select(Connection.name, Connection.type).where(Connection.user_id == user_id)
    kinds = {row.name: row.type for row in session.execute(mine)}
    for path, action in called:
        if action["type"] != UNREAD:
            message = _problem_of_connection(catalog, action, kinds)
            yield from [Problem(pointer((*path, "config", CONNECTION)), message)] if message else []


def _problem_of_connection(catalog: Catalog, action: Mapping[str, Any], kinds: Mapping[str, str]) -> str | None:
    """`kinds`: of the user's connections, by their names."""
    name, type_ = action["config"][CONNECTION], str(action["type"])
    taken = [kind.type for kind in catalog.kinds_for(catalog.get(type_))] if type_.upper() in catalog else []
    if not taken:
        return sentence("%(type)s takes no connection", type=type_)
    return problem_of_connection(name, taken, kinds, _WHOSE)


def _problems_of_trigger(session: Session, user_id: UUID, trigger: TriggerDefinition | None) -> list[Problem]:
    if trigger is None:
        return []
    return problems_of_connection(session, user_id, find_kind(trigger.type), trigger.config or {}, "/trigger/config")


def _problems_of_secrets(session: Session, user_id: UUID, actions: Any) -> Iterator[Problem]:
    called = list(_called_secrets(actions))
    if not called:
        return
    names = set(session.scalars(select(NamedSecret.name).where(NamedSecret.user_id == user_id)))
    for at, name in called:
        if name not in names:
            yield Problem(
                at, sentence("there is no secret %(name)s%(hint)s", name=quoted(name), hint=hint(name, sorted(names)))
            )


def _problems_of_variables(session: Session, user_id: UUID, actions: Any) -> Iterator[Problem]:
    """In all texts, also of conditions."""
    called = [(path, name) for path, text in texts(actions) for name in _names_in(text, VARIABLES)]
    if not called:
        return
    names = set(session.scalars(select(VariableRow.name).where(VariableRow.user_id == user_id)))
    for path, name in called:
        if name not in names:
            why = sentence("there is no variable %(name)s%(hint)s", name=quoted(name), hint=hint(name, sorted(names)))
            yield Problem(pointer(("actions", *path)), why)


def _called_secrets(actions: Any) -> Iterator[tuple[str, str]]:
    for path, action in actions_in(actions):
        for config_path, text in texts(action.get("config")):
            for name in _names_in(text, SECRETS):
                yield pointer((*path, "config", *config_path)), name


def _names_in(text: str, root: str) -> Iterator[str]:
    """The names that a text calls below a root."""
    if root not in text:
        return
    try:
        used = references_in(text)
    except TemplateFailure:  # reported elsewhere
        return
    yield from (str(reference.keys[0]) for reference in used if reference.root == root and reference.keys)
