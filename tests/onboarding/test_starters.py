"""The templates: every one of them is a workflow that can be saved and run."""

from __future__ import annotations

from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from flowforge.connectors.catalog import load_catalog
from flowforge.errors import Invalid, NotFound
from flowforge.onboarding.starters import filled, starter, starters
from flowforge.triggers.registrations import Triggers
from flowforge.wiring import Backends
from flowforge.workflows.changes import WorkflowChange
from flowforge.workflows.workflows import Workflows


@pytest.mark.parametrize("name", [one.name for one in starters()])
def test_a_template_can_be_saved(session: Session, backends: Backends, user_id: UUID, name: str) -> None:
    chosen = starter(name)
    given = {field.name: field.default or "https://hooks.example.test/x" for field in chosen.fields}
    workflows = Workflows(load_catalog(), backends.vault, Triggers(backends.settings, backends.vault))
    assert workflows.create(session, user_id, WorkflowChange(filled(chosen, given))).enabled


def test_one_of_them_needs_nothing() -> None:
    assert [one.name for one in starters() if not one.fields] == ["greet"]


@pytest.mark.parametrize("value", ["", "  ", None, 5, "x" * 2_001], ids=["empty", "blank", "none", "number", "long"])
def test_what_is_missing_is_named(value: object) -> None:
    with pytest.raises(Invalid) as error:
        filled(starter("tell-slack"), {"webhookUrl": value})
    assert [problem.pointer for problem in error.value.problems] == ["/webhookUrl"]


def test_there_is_no_other() -> None:
    with pytest.raises(NotFound):
        starter("nothing")
