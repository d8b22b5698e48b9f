"""What earlier executions recorded, for those that do them again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from flowforge.engine.plans import Plans
from flowforge.language.plan import Plan, Step


@dataclass(frozen=True, slots=True)
class RecordedOutputs:
    """By execution: the outputs, and the plan they belong to."""

    _found: Mapping[UUID, tuple[Mapping[str, Any], Plan]]

    def before(self, plan: Plan, step: Step, execution_id: UUID) -> dict[str, Any]:
        """The outputs of the steps in front of `step`, under their numbers in `plan`: from version to version a step
        keeps its id and its type, not its number."""
        outputs, recorded_by = self._found.get(execution_id, ({}, Plan.empty()))
        old = {(known.id, known.type): known.key for known in recorded_by.steps if known.key in outputs}
        earlier = [known for known in plan.steps if known.index < step.index]
        return {known.key: outputs[old[known.id, known.type]] for known in earlier if (known.id, known.type) in old}


def recorded_outputs(connection: Connection, plans: Plans, execution_ids: set[UUID]) -> RecordedOutputs:
    """One statement, and one for the versions that are not known yet."""
    rows = connection.exec_driver_sql(
        """
        SELECT id, COALESCE(step_outputs, '{}'), version_id FROM orchestrator.workflow_executions
        WHERE id = ANY(%(ids)s::uuid[])
        """,
        {"ids": [str(id_) for id_ in execution_ids]},
    ).all()
    versions = plans.get(connection, {row[2] for row in rows if row[2]})
    return RecordedOutputs({row[0]: (row[1], versions[row[2]].plan) for row in rows if row[2] in versions})
