"""Workflows: saved as versions, secrets sealed, the own trigger registered (contract.md, 1.1 and 1.2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from uuid import UUID

from pydantic.alias_generators import to_camel
from sqlalchemy import Select, delete, func, select
from sqlalchemy.orm import Session, defer

from flowforge.audit.actions import Action
from flowforge.audit.recording import record
from flowforge.bus import EventBus
from flowforge.connectors.catalog import Catalog
from flowforge.db import deleted_workflows_store
from flowforge.db.refusals import refused_as
from flowforge.db.tables import TriggerRegistration, Workflow, WorkflowVersion
from flowforge.engine import intake
from flowforge.engine.intake import NewEvent
from flowforge.errors import Conflict, NotFound, Problem, at_most, raise_any
from flowforge.ids import uuid7
from flowforge.jsonio import JsonObject
from flowforge.language.definition import Reading, WorkflowDefinition, read
from flowforge.secrets import Vault
from flowforge.sentences import sentence
from flowforge.triggers.kinds.manual import MANUAL
from flowforge.triggers.registrations import Triggers
from flowforge.views import view_of
from flowforge.workflows import quota
from flowforge.workflows.api_steps import problems_of_api_steps, settle_api_steps
from flowforge.workflows.changes import WorkflowChange
from flowforge.workflows.credentials import problems_of_credentials
from flowforge.workflows.stored_form import StoredForm
from flowforge.workflows.subworkflows import problems_of_calls
from flowforge.workflows.validation import Before, validate_definition, warnings_of_definition
from flowforge.workflows.views import VersionView, WorkflowSummary, WorkflowView

MOST_LISTED = 1_000
DEFINITION = ("name", "trigger", "actions", "settings")
_ANSWERED = frozenset(to_camel(field.name) for field in fields(WorkflowView))


@dataclass(frozen=True, slots=True)
class Started:
    execution_id: UUID
    event_id: UUID


@dataclass(frozen=True, slots=True)
class Workflows:
    """The operations, with what they need besides the session. Each commits."""

    catalog: Catalog
    vault: Vault
    triggers: Triggers

    def create(self, session: Session, user_id: UUID, change: WorkflowChange) -> WorkflowView:
        """Create a workflow, enabled unless the change says otherwise. Commits. Raises Invalid with every problem there
        is, and Forbidden above the account's quota."""
        written = replace(change, definition={"actions": [], **_without_nulls(change.definition)})
        definition = self.read(session, user_id, written, None)
        quota.require_room(session, self.triggers.settings, user_id, 1)
        workflow = Workflow(id=uuid7(), user_id=user_id, name=definition.name, enabled=change.enabled is not False)
        session.add(workflow)
        _record(session, Action.WORKFLOW_CREATED, workflow, user_id)
        self.save(session, workflow, definition, user_id, change.note)
        return self.view(workflow, written=written.definition)

    def begin(self, session: Session, user_id: UUID, name: str) -> Workflow:
        """Add a workflow that is disabled and has never been published; the caller saves its draft, and commits.
        Raises Invalid for a name that cannot be used, and Forbidden above the account's quota."""
        nothing = WorkflowChange({"name": name, "trigger": {"type": MANUAL}, "actions": []})
        usable = self.read(session, user_id, nothing, None).name
        quota.require_room(session, self.triggers.settings, user_id, 1)
        workflow = Workflow(id=uuid7(), user_id=user_id, name=usable, enabled=False, published=False)
        session.add(workflow)
        _record(session, Action.WORKFLOW_CREATED, workflow, user_id)
        session.flush()
        return workflow

    def all(
        self, session: Session, user_id: UUID, *, page: int = 0, size: int = MOST_LISTED
    ) -> Sequence[WorkflowSummary]:
        """List workflows, newest first; their definitions are not loaded."""
        mine = select(Workflow).where(Workflow.user_id == user_id)
        newest_first = mine.order_by(Workflow.created_at.desc(), Workflow.id.desc()).offset(page * size).limit(size)
        without_definitions = defer(Workflow.trigger_definition), defer(Workflow.actions_definition)
        rows = session.scalars(newest_first.options(*without_definitions))
        return [view_of(WorkflowSummary, row) for row in rows]

    def get(self, session: Session, user_id: UUID, workflow_id: UUID) -> WorkflowView:
        """Get a workflow, its secrets masked. Raises NotFound."""
        return self.view(self.load(session, user_id, workflow_id))

    def load(self, session: Session, user_id: UUID, workflow_id: UUID) -> Workflow:
        """Load a workflow's row. Raises NotFound."""
        return _found(session.scalar(_mine(user_id, workflow_id)))

    def locked(self, session: Session, user_id: UUID, workflow_id: UUID) -> Workflow:
        """Load a workflow's row and lock it until the transaction ends. Raises NotFound."""
        return _found(session.scalar(_mine(user_id, workflow_id).with_for_update()))

    def versions(
        self, session: Session, user_id: UUID, workflow_id: UUID, *, page: int = 0, size: int = 100
    ) -> Sequence[VersionView]:
        """List the published versions, newest first, secrets masked. Raises NotFound."""
        workflow = self.load(session, user_id, workflow_id)
        saved = select(WorkflowVersion).where(
            WorkflowVersion.workflow_id == workflow.id, WorkflowVersion.number.is_not(None)
        )
        newest_first = saved.order_by(WorkflowVersion.number.desc()).offset(page * size).limit(size)
        return [self.version_view(version) for version in session.scalars(newest_first)]

    def update(self, session: Session, user_id: UUID, workflow_id: UUID, change: WorkflowChange) -> WorkflowView:
        """A full replacement, but what is omitted is kept: nothing is lost by accident. Raises Invalid, NotFound.

        Switching it on or off changes no definition, so it makes no version.
        """
        workflow = self.locked(session, user_id, workflow_id)
        changed = _without_nulls(change.definition)
        enabled = workflow.enabled if change.enabled is None else change.enabled
        if changed.keys().isdisjoint(DEFINITION):
            raise_any(change.problems)
            if workflow.is_draft and enabled:
                raise Conflict(sentence("the workflow is a draft; publish it to enable it"))
            switch(session, workflow, enabled, user_id)
            self.triggers.manage(session, workflow, workflow.trigger_definition)
            session.commit()
            return self.view(workflow)
        written = replace(change, definition={**self.form.masked(published(workflow)), **changed})
        definition = self.read(session, user_id, written, workflow)
        switch(session, workflow, enabled, user_id)
        self.save(session, workflow, definition, user_id, change.note)
        return self.view(workflow, written=written.definition)

    def delete(self, session: Session, user_id: UUID, workflow_id: UUID) -> None:
        """Delete a workflow and its triggers; its executions stay readable. It can be restored for a while
        (flowforge.workflows.deleted_workflows). Raises NotFound."""
        workflow = self.locked(session, user_id, workflow_id)
        deleted_workflows_store.keep(session.connection(), workflow.id)
        session.execute(delete(TriggerRegistration).where(TriggerRegistration.workflow_id == workflow.id))
        _record(session, Action.WORKFLOW_DELETED, workflow, user_id)
        session.delete(workflow)
        session.commit()

    def start(
        self,
        session: Session,
        bus: EventBus,
        user_id: UUID,
        workflow_id: UUID,
        payload: JsonObject,
        event_id: UUID | None = None,
    ) -> Started:
        """Starts it by hand. `event_id`: the id of the event that it makes, where files are kept for that already.
        Raises NotFound, and Conflict for a draft or a disabled one."""
        workflow = self.load(session, user_id, workflow_id)
        if workflow.is_draft:
            raise Conflict(sentence("the workflow is a draft; publish it to run it"))
        if not workflow.enabled:
            raise Conflict(sentence("the workflow is disabled; enable it to run it"))
        return self.start_version(session, bus, workflow, payload, None, event_id)

    def start_version(
        self,
        session: Session,
        bus: EventBus,
        workflow: Workflow,
        payload: JsonObject,
        version_id: UUID | None,
        event_id: UUID | None = None,
    ) -> Started:
        """Start a version by hand; None means the published one. Commits. Raises Forbidden, OverQuota."""
        intake.require_room(session.connection(), workflow.user_id)
        event = NewEvent(
            None,
            workflow.id,
            workflow.user_id,
            MANUAL,
            payload,
            {"source": MANUAL},
            event_id or uuid7(),
            execution_id=uuid7(),
            replay={"versionId": version_id} if version_id else None,
        )
        intake.record(session.connection(), [event])
        session.commit()
        intake.announce(bus, [event], inline_limit=self.triggers.settings.payload_inline_limit)
        assert event.execution_id is not None
        return Started(event.execution_id, event.event_id)

    def view(self, workflow: Workflow, written: JsonObject | None = None) -> WorkflowView:
        """The workflow as it is stored, with warnings about that, or about what was just `written`."""
        trigger = self.form.masked_trigger(workflow.trigger_definition)
        actions = self.form.masked_actions(workflow.actions_definition)
        warnings = self.warnings_of(written or {"trigger": trigger, "actions": actions}) or None
        return view_of(WorkflowView, workflow, trigger=trigger, actions=actions, warnings=warnings)

    def warnings_of(self, written: JsonObject) -> list[Problem]:
        """What is written in a definition and has no effect. What an answer of ours holds may be sent back with it."""
        return warnings_of_definition(self.catalog, written, _ANSWERED)

    def version_view(self, version: WorkflowVersion) -> VersionView:
        masked = self.form.masked(version.definition)
        return view_of(VersionView, version, **masked | {"name": str(masked["name"] or "")})

    def read(
        self, session: Session, user_id: UUID, change: WorkflowChange, stored: Workflow | None
    ) -> WorkflowDefinition:
        """Read the definition of a change. Raises Invalid with every problem at once: of the shape, and of the meaning
        of what has the right shape."""
        reading = read(settle_api_steps(session, self.catalog, user_id, change.definition))
        problems = [*change.problems, *reading.problems]
        problems += self.problems_of(reading, stored)
        problems += self.problems_of_names(session, user_id, reading, stored.id if stored else None)
        raise_any(at_most(problems))
        return reading.usable()

    def problems_of(self, reading: Reading, stored: Workflow | None) -> list[Problem]:
        """List the problems of the definition's meaning, except for names of the user's own things. Masks stand for
        what is stored."""
        before = before_of(stored) if stored else Before()
        return validate_definition(self.catalog, reading, before)

    def problems_of_names(
        self, session: Session, user_id: UUID, reading: Reading, workflow_id: UUID | None
    ) -> list[Problem]:
        """Workflows, connections and secrets that it names and that are not there; `workflow_id` is its own."""
        if reading.definition is None:
            return []
        found = [
            *problems_of_calls(session, user_id, workflow_id, reading.definition),
            *problems_of_credentials(session, self.catalog, user_id, reading.definition),
            *problems_of_api_steps(session, self.catalog, user_id, reading.definition),
        ]
        return [problem for problem in found if not reading.concerns_removed_part(problem)]

    def differs(self, session: Session, workflow: Workflow, definition: WorkflowDefinition) -> bool:
        """Whether saving it would change anything: a masked secret does not."""
        version = session.get(WorkflowVersion, workflow.version_id) if workflow.version_id else None
        if version is None or not version.templated:
            return True
        return not self.form.same(self.form.of(definition, before_of(workflow)), published(workflow))

    def keep(
        self,
        session: Session,
        workflow: Workflow,
        definition: WorkflowDefinition,
        user_id: UUID,
        note: str | None = None,
    ) -> None:
        """Writes a new version of a workflow that is in the session; the caller commits."""
        written = self.form.of(definition, before_of(workflow))
        workflow.trigger_definition, workflow.actions_definition = written["trigger"], written["actions"]
        workflow.settings = written.get("settings")
        session.flush()
        version = WorkflowVersion(
            id=uuid7(),
            workflow_id=workflow.id,
            number=_next_number(session, workflow.id),
            definition=written,
            templated=True,
            created_by=user_id,
            note=note,
        )
        session.add(version)
        workflow.version_id, workflow.published = version.id, True
        _record(session, Action.WORKFLOW_PUBLISHED, workflow, user_id, version.number)
        self.triggers.manage(session, workflow, written["trigger"])

    @property
    def form(self) -> StoredForm:
        return StoredForm(self.catalog, self.vault, self.triggers)

    def save(
        self, session: Session, workflow: Workflow, definition: WorkflowDefinition, user_id: UUID, note: str | None
    ) -> None:
        """Publish the definition as the next version of a locked workflow. Commits. Raises Conflict."""
        workflow.name = definition.name
        # its first run may give an adopted workflow the same number at the same moment
        with refused_as(session, Conflict(sentence("the workflow changed at the same moment; please save it again"))):
            self.keep(session, workflow, definition, user_id, note)
            session.commit()


def switch(session: Session, workflow: Workflow, enabled: bool, user_id: UUID) -> None:
    """Enables or disables a workflow; the caller registers its trigger accordingly, and commits."""
    if workflow.enabled != enabled:
        action = Action.WORKFLOW_ENABLED if enabled else Action.WORKFLOW_DISABLED
        _record(session, action, workflow, user_id)
    workflow.enabled = enabled


def _record(session: Session, action: Action, workflow: Workflow, user_id: UUID, version: int | None = None) -> None:
    record(session, action, by=user_id, on=workflow.id, named=workflow.name, version=version)


def _mine(user_id: UUID, workflow_id: UUID) -> Select[Workflow]:
    return select(Workflow).where(Workflow.id == workflow_id, Workflow.user_id == user_id)


def _found(workflow: Workflow | None) -> Workflow:
    if workflow is None:
        raise NotFound(sentence("there is no such workflow"))
    return workflow


def _without_nulls(definition: JsonObject) -> JsonObject:
    """Drop the nulls a client sent, which mean the same as leaving the part out; in `trigger` null means no
    trigger."""
    return {name: value for name, value in definition.items() if value is not None or name == "trigger"}


def published(workflow: Workflow) -> JsonObject:
    """The definition that runs, as it is stored."""
    return {
        "name": workflow.name,
        "trigger": workflow.trigger_definition,
        "actions": workflow.actions_definition,
        "settings": workflow.settings,
    }


def before_of(workflow: Workflow) -> Before:
    return Before(workflow.actions_definition, workflow.trigger_definition)


def _next_number(session: Session, workflow_id: UUID) -> int:
    highest = session.scalar(select(func.max(WorkflowVersion.number)).where(WorkflowVersion.workflow_id == workflow_id))
    return (highest or 0) + 1
