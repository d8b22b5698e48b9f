"""The compiled plans of workflow versions: parsed once per process, not per event."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from flowforge import jsonio
from flowforge.db import versions_store
from flowforge.db.engine import Connection
from flowforge.db.versions_store import SavedVersion
from flowforge.errors import Invalid
from flowforge.jsonio import JsonObject
from flowforge.language.expressions.resolving import VARIABLES, workflow_root
from flowforge.language.plan import Plan, compile_plan

_CAPACITY = 2_000


@dataclass(frozen=True, slots=True)
class Version:
    """A saved definition, compiled. It never changes, so it never expires."""

    id: UUID
    workflow_id: UUID
    name: str
    plan: Plan
    problem: str | None = None
    """The reason why a definition that an earlier product wrote cannot be run."""
    may_call_variables: bool = True
    """False where its expressions certainly call none of the account's variables."""

    @property
    def root(self) -> JsonObject:
        """The root `workflow` of expressions."""
        return workflow_root(self.workflow_id, self.name, self.plan.settings.time_zone)

    @property
    def error_workflow(self) -> UUID | None:
        """The workflow that is started when an execution fails."""
        named = self.plan.settings.error_workflow
        return UUID(named) if named else None


class Plans:
    """A cache of versions, safe to share between threads."""

    def __init__(self) -> None:
        self._cached: OrderedDict[UUID, Version] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, connection: Connection, version_ids: Iterable[UUID]) -> dict[UUID, Version]:
        """Returns versions by id, those that do not exist left out. At most one query, for what is not cached."""
        wanted = set(version_ids)
        found = self._get_cached(wanted)
        missing = wanted - found.keys()
        if missing:
            loaded = {saved.id: _compile(saved) for saved in versions_store.load_versions(connection, missing)}
            self._cache(loaded)
            found |= loaded
        return found

    def _get_cached(self, wanted: set[UUID]) -> dict[UUID, Version]:
        with self._lock:
            found = {id_: self._cached[id_] for id_ in wanted if id_ in self._cached}
            for id_ in found:
                self._cached.move_to_end(id_)
        return found

    def _cache(self, loaded: dict[UUID, Version]) -> None:
        with self._lock:
            self._cached |= loaded
            while len(self._cached) > _CAPACITY:
                self._cached.popitem(last=False)


def _compile(saved: SavedVersion) -> Version:
    name = str(saved.definition.get("name") or "")
    try:
        plan = compile_plan({**saved.definition, "pins": saved.pins}, templated=saved.templated)
    except Invalid as error:
        return Version(saved.id, saved.workflow_id, name, Plan.empty(), problem=str(error))
    may_call_variables = VARIABLES.encode() in jsonio.dumps(saved.definition)
    return Version(saved.id, saved.workflow_id, name, plan, may_call_variables=may_call_variables)
