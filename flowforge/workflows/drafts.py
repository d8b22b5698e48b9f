"""Drafts: definitions that are being written, saved at any time, and started by no trigger until published."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy.orm import Session

from flowforge import jsonio
from flowforge.bus import EventBus
from flowforge.connectors.masked_secrets import stored_configs
from flowforge.db import versions_store
from flowforge.db.refusals import refused_as
from flowforge.db.tables import Workflow, WorkflowDraft, WorkflowVersion
from flowforge.errors import Conflict, Invalid, Problem
from flowforge.ids import uuid7
from flowforge.jsonio import JsonObject
from flowforge.language.definition import WorkflowDefinition
from flowforge.language.former_meanings import with_former_meanings
from flowforge.language.plan import can_be_pinned
from flowforge.language.tree import map_actions
from flowforge.secrets import SecretUnreadable, Vault
from flowforge.sentences import message_of, sentence
from flowforge.triggers.kinds import find_kind
from flowforge.workflows import folders
from flowforge.workflows.changes import DraftChange, Publication, WorkflowChange
from flowforge.workflows.pins import TRIGGER, pinned_outputs
from flowforge.workflows.validation import config_of, flat
from flowforge.workflows.views import DraftView, WorkflowView
from flowforge.workflows.workflows import Started, Workflows, before_of, published, switch

_MEANINGS = 1
"""Marks drafts that are written with the present defaults in mind."""
_CHANGED_ELSEWHERE = sentence("the draft was changed elsewhere meanwhile: it is at revision %(there)s, not at %(seen)s")


@dataclass(frozen=True, slots=True)
class Drafts:
    workflows: Workflows

    def get(self, session: Session, user_id: UUID, workflow_id: UUID) -> DraftView:
        """Get what there is to go on with, secrets masked: the draft or, at revision 0, what is published. Raises
        NotFound, Conflict."""
        workflow = self.workflows.load(session, user_id, workflow_id)
        return self._view(session, workflow, session.get(WorkflowDraft, workflow.id))

    def begin(self, session: Session, user_id: UUID, name: str, definition: JsonObject) -> WorkflowView:
        """Make a workflow that is a draft: it is disabled until the definition, in whatever state that is, is
        published. Commits. Raises Invalid for a name that cannot be used, and Forbidden above the account's quota."""
        workflow = self.workflows.begin(session, user_id, name)
        self.save(session, user_id, workflow.id, DraftChange(definition))
        return self.workflows.view(workflow)

    def duplicate(self, session: Session, user_id: UUID, workflow_id: UUID, name: str) -> WorkflowView:
        """Make a copy, with its secrets, that is a draft in the same folder. Commits. Raises as `begin` does, and
        NotFound, Conflict."""
        original = self.workflows.load(session, user_id, workflow_id)
        copy = self.begin(session, user_id, name, {**self.clear(session, user_id, workflow_id), "name": name})
        folders.move(session, user_id, [copy.id], original.folder)
        return copy

    def save(self, session: Session, user_id: UUID, workflow_id: UUID, change: DraftChange) -> DraftView:
        """Save a draft, and tell what is wrong with it still. Commits. Raises NotFound, and Conflict when somebody has
        saved another meanwhile."""
        workflow, draft = self._lock_workflow(session, user_id, workflow_id)
        _expect(draft, change.revision)
        clear = self._unmasked(change.definition, self._clear(draft) if draft else {}, workflow)
        if draft is None:
            draft = WorkflowDraft(id=workflow.id, revision=0, base_version_id=workflow.version_id)
            session.add(draft)
        draft.definition = self.workflows.vault.seal(jsonio.dumps_for_database(clear))
        draft.revision, draft.run_version_id, draft.meanings = draft.revision + 1, None, _MEANINGS
        draft.updated_at, draft.updated_by = datetime.now(UTC), user_id
        _describe(draft, workflow, clear)
        # the workflow may be deleted meanwhile
        with refused_as(session, Conflict(sentence("the workflow changed at the same moment"))):
            session.commit()
        return self._view(session, workflow, draft)

    def discard(self, session: Session, user_id: UUID, workflow_id: UUID) -> None:
        """Commits. Raises NotFound for a workflow that does not exist, and Conflict for one that is nothing but its
        draft."""
        workflow, draft = self._lock_workflow(session, user_id, workflow_id)
        if workflow.is_draft:
            raise Conflict(sentence("the workflow has never been published; delete it instead"))
        if draft is not None:
            session.delete(draft)
        session.commit()

    def publish(self, session: Session, user_id: UUID, workflow_id: UUID, wanted: Publication) -> WorkflowView:
        """Make the draft the workflow's next version; the draft is gone then. The first version enables the workflow.
        Commits. Raises NotFound, Invalid with all that is wrong with it, and Conflict."""
        workflow, draft = self._lock_workflow(session, user_id, workflow_id)
        if draft is None:
            raise Conflict(sentence("there is no draft to publish"))
        if wanted.revision is not None:
            _expect(draft, wanted.revision)
        if draft.base_version_id != workflow.version_id and not wanted.overwrite:
            raise Conflict(
                sentence("another version was published since this draft was begun; send overwrite to publish it")
            )
        written = self._written(draft)
        definition = self.workflows.read(session, user_id, written, workflow)
        session.delete(draft)
        if workflow.is_draft:
            switch(session, workflow, True, user_id)
        self.workflows.save(session, workflow, definition, user_id, wanted.note)
        return self.workflows.view(workflow, written=written.definition)

    def start(
        self,
        session: Session,
        bus: EventBus,
        user_id: UUID,
        workflow_id: UUID,
        payload: JsonObject | None = None,
        event_id: UUID | None = None,
        *,
        pinned: bool = False,
    ) -> Started:
        """Runs the draft, also of a disabled workflow; where there is none, what is published. `payload` None: what is
        pinned as such, else nothing. `event_id`: the id of the event that it makes, where files are kept for that
        already. `pinned`: steps whose outputs are pinned are not run. Commits. Raises NotFound, and Invalid with all
        that is wrong with it."""
        workflow, draft = self._lock_workflow(session, user_id, workflow_id)
        pins = pinned_outputs(session, workflow_id)
        input_data = pins.get(TRIGGER, {}) if payload is None else payload
        version_id = self._to_run(session, user_id, workflow, draft, pins if pinned else {})
        return self.workflows.start_version(session, bus, workflow, input_data, version_id, event_id)

    def require_revision(self, session: Session, user_id: UUID, workflow_id: UUID, seen: int) -> None:
        """Holds the draft as it is until the transaction ends. Raises NotFound, and Conflict where it is at another
        revision than the one that was seen."""
        _, draft = self._lock_workflow(session, user_id, workflow_id)
        _expect(draft, seen)

    def version_to_replay(self, session: Session, user_id: UUID, workflow_id: UUID) -> UUID:
        """Make a version of the draft, else of what is published, in which pinned outputs stand for their steps. Does
        not commit. Raises NotFound, and Invalid with all that is wrong with the draft."""
        workflow, draft = self._lock_workflow(session, user_id, workflow_id)
        version_id = self._to_run(session, user_id, workflow, draft, pinned_outputs(session, workflow_id))
        session.flush()
        return version_id

    def _to_run(
        self,
        session: Session,
        user_id: UUID,
        workflow: Workflow,
        draft: WorkflowDraft | None,
        pins: Mapping[str, JsonObject],
    ) -> UUID:
        if draft is None:
            return _published_to_run(session, user_id, workflow, pins)
        return self._version_to_run(session, user_id, workflow, draft, pins)

    def version_to_test(self, session: Session, user_id: UUID, workflow_id: UUID) -> UUID:
        """Find the version that a test of the draft runs, with pinned outputs; of a draft whose steps cannot run yet,
        one with its trigger alone. The caller commits. Raises NotFound, Conflict, and Invalid for a trigger that
        cannot be used."""
        workflow, draft = self._lock_workflow(session, user_id, workflow_id)
        try:
            return self._to_run(session, user_id, workflow, draft, pinned_outputs(session, workflow_id))
        except Invalid:
            if draft is None:
                raise
            return self._trigger_to_run(session, user_id, workflow, self._clear(draft).get("trigger"))

    def _trigger_to_run(self, session: Session, user_id: UUID, workflow: Workflow, trigger: Any) -> UUID:
        written = WorkflowChange({"name": workflow.name, "trigger": trigger, "actions": []})
        stored = self.workflows.form.of(self.workflows.read(session, user_id, written, workflow), before_of(workflow))
        return _add_version_to_run(
            session, user_id, workflow, stored, True, {}, "the trigger of a draft, as it was run"
        )

    def _version_to_run(
        self, session: Session, user_id: UUID, workflow: Workflow, draft: WorkflowDraft, pins: Mapping[str, JsonObject]
    ) -> UUID:
        """The draft as a version without a number; one for each state it is run in. Raises Invalid."""
        version = session.get(WorkflowVersion, draft.run_version_id) if draft.run_version_id else None
        if version is not None and (version.pins or {}) == _usable(pins, version.definition):
            return version.id
        definition = self.workflows.read(session, user_id, self._written(draft), workflow)
        stored = self.workflows.form.of(definition, before_of(workflow))
        note = f"revision {draft.revision} of a draft, as it was run"
        draft.run_version_id = _add_version_to_run(session, user_id, workflow, stored, True, pins, note)
        return draft.run_version_id

    def clear(self, session: Session, user_id: UUID, workflow_id: UUID) -> JsonObject:
        """Read the definition to go on with, its secrets in clear: the draft's, or the published one. Raises NotFound,
        Conflict."""
        workflow = self.workflows.load(session, user_id, workflow_id)
        draft = session.get(WorkflowDraft, workflow.id)
        return self._published(workflow) if draft is None else self._clear(draft)

    def to_try(self, session: Session, workflow: Workflow, *, draft: bool) -> tuple[JsonObject, bool]:
        """The draft, where there is one and it is asked for, else what is published, its secrets in clear; and whether
        `{{` has a meaning in it. Raises Conflict, and Invalid with all that is wrong with a draft."""
        written = session.get(WorkflowDraft, workflow.id) if draft else None
        if written is not None:
            clear = self._clear(written)
            self.workflows.read(session, workflow.user_id, WorkflowChange.read(clear), workflow)
            return clear, True
        version = session.get(WorkflowVersion, workflow.version_id) if workflow.version_id else None
        return self._published(workflow), version is not None and version.templated

    def _published(self, workflow: Workflow) -> JsonObject:
        try:
            return self.workflows.form.opened(published(workflow))
        except SecretUnreadable as error:
            raise Conflict(message_of(error)) from error

    def _lock_workflow(
        self, session: Session, user_id: UUID, workflow_id: UUID
    ) -> tuple[Workflow, WorkflowDraft | None]:
        """The workflow's row is the lock: there may be no draft yet."""
        workflow = self.workflows.locked(session, user_id, workflow_id)
        return workflow, session.get(WorkflowDraft, workflow.id, populate_existing=True)

    def _written(self, draft: WorkflowDraft) -> WorkflowChange:
        return WorkflowChange.read(self._clear(draft))

    def _clear(self, draft: WorkflowDraft) -> JsonObject:
        return opened_draft(self.workflows.vault, draft)

    def _view(self, session: Session, workflow: Workflow, draft: WorkflowDraft | None) -> DraftView:
        definition = self._clear(draft) if draft else published(workflow)
        masked = self.workflows.form.masked(definition)
        return DraftView(
            workflow_id=workflow.id,
            revision=draft.revision if draft else 0,
            definition={**definition, **{part: value for part, value in masked.items() if part in definition}},
            problems=self.problems(session, workflow, definition) if draft else (),
            version_id=workflow.version_id,
            base_version_id=draft.base_version_id if draft else workflow.version_id,
            updated_at=draft.updated_at if draft else workflow.updated_at,
            updated_by=draft.updated_by if draft else None,
            warnings=self.workflows.warnings_of(definition),
        )

    def problems(self, session: Session, workflow: Workflow, clear: Mapping[str, Any]) -> Sequence[Problem]:
        """Returns what would keep the definition from being published."""
        try:
            self.workflows.read(session, workflow.user_id, WorkflowChange.read(clear), workflow)
        except Invalid as error:
            return error.problems
        return ()

    def _unmasked(self, definition: JsonObject, before: JsonObject, workflow: Workflow) -> JsonObject:
        """Replace each mask by its secret: the one of the draft before, else the published one."""
        form = self.workflows.form
        try:
            publication = form.opened(published(workflow))
        except SecretUnreadable:
            publication = {}
        catalog, triggers = self.workflows.catalog, self.workflows.triggers
        stored = [*flat(before.get("actions")), *flat(publication.get("actions"))]
        kept = iter(stored_configs(catalog, flat(definition.get("actions")), stored))

        def unmask(action: JsonObject) -> JsonObject:
            previous, config, type_ = next(kept), config_of(action), str(action.get("type", ""))
            if config is None:
                return action
            return {**action, "config": catalog.unmask(type_, config, previous)}

        clear = {**definition}
        if "actions" in definition:
            clear["actions"] = map_actions(definition["actions"], unmask)
        config = config_of(definition.get("trigger"))
        if config is not None:
            previous = config_of(before.get("trigger")) or config_of(publication.get("trigger"))
            clear["trigger"] = {**definition["trigger"], "config": triggers.unmasked(config, previous)}
        return clear


def _describe(draft: WorkflowDraft, workflow: Workflow, definition: Mapping[str, Any]) -> None:
    """Note what lists show of a draft. A workflow that is nothing but a draft has its name, where that can be one."""
    trigger, actions = definition.get("trigger"), definition.get("actions")
    kind = find_kind(trigger.get("type") if isinstance(trigger, dict) else None)
    draft.trigger_type, draft.steps = kind.type if kind else None, len(actions) if isinstance(actions, list) else 0
    if workflow.is_draft:
        with suppress(ValidationError):
            workflow.name = WorkflowDefinition.model_validate({"name": definition.get("name"), "actions": []}).name


def _published_to_run(session: Session, user_id: UUID, workflow: Workflow, pins: Mapping[str, JsonObject]) -> UUID:
    """Find the version that a run of the published definition uses; with pins, a version without a number that carries
    them."""
    version_id = workflow.version_id or versions_store.adopt_workflows(session.connection(), [workflow.id])[workflow.id]
    version = session.get_one(WorkflowVersion, version_id)
    if not _usable(pins, version.definition):
        return version_id
    note = f"version {version.number} with pinned outputs"
    return _add_version_to_run(session, user_id, workflow, version.definition, version.templated, pins, note)


def _add_version_to_run(
    session: Session,
    user_id: UUID,
    workflow: Workflow,
    stored: Mapping[str, Any],
    templated: bool,
    pins: Mapping[str, JsonObject],
    note: str,
) -> UUID:
    version = WorkflowVersion(
        id=uuid7(),
        workflow_id=workflow.id,
        number=None,
        definition=stored,
        templated=templated,
        created_by=user_id,
        note=note,
        pins=_usable(pins, stored) or None,
    )
    session.add(version)
    return version.id


def _usable(pins: Mapping[str, JsonObject], definition: Mapping[str, Any]) -> JsonObject:
    """Select the pins of steps that exist and can be pinned."""
    steps = {str(action.get("id")): str(action.get("type")) for action in flat(definition.get("actions"))}
    return {name: output for name, output in pins.items() if name in steps and can_be_pinned(steps[name])}


def opened_draft(vault: Vault, draft: WorkflowDraft) -> JsonObject:
    """Raises Conflict."""
    try:
        clear: JsonObject = jsonio.loads(vault.open(draft.definition))
    except SecretUnreadable as error:
        raise Conflict(
            sentence("the draft was encrypted with a key that is no longer configured; discard it")
        ) from error
    if draft.meanings is None and "actions" in clear:
        return {**clear, "actions": with_former_meanings(clear["actions"])}
    return clear


def _expect(draft: WorkflowDraft | None, seen: int) -> None:
    there = draft.revision if draft else 0
    if there != seen:
        raise Conflict(_CHANGED_ELSEWHERE.with_values(there=there, seen=seen))
