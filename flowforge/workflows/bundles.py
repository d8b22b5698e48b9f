"""Bundles, many workflows as text: imported all together or not at all, and exported again.

A *document* is `{key, enabled, definition, folder}`; `export` gives what `apply` takes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Literal, Self
from uuid import UUID

from sqlalchemy import Select, func, or_, select, text
from sqlalchemy.orm import Session

from flowforge.audit.actions import Action
from flowforge.audit.recording import record
from flowforge.db.refusals import refused_as
from flowforge.db.tables import Workflow
from flowforge.errors import Conflict, Problem, at_most, raise_any
from flowforge.ids import uuid7
from flowforge.jsonio import JsonObject
from flowforge.language.definition import Reading, read
from flowforge.language.evaluation.names import Hints, quoted
from flowforge.language.pointers import pointer
from flowforge.sentences import sentence
from flowforge.workflows import quota
from flowforge.workflows.api_steps import settle_api_steps
from flowforge.workflows.bundle import MOST_WORKFLOWS, Bundle, BundledWorkflow
from flowforge.workflows.workflow_keys import called_keys, id_as_key, with_ids, with_keys
from flowforge.workflows.workflows import Workflows, published, switch

Outcome = Literal["created", "changed", "unchanged"]


@dataclass(frozen=True, slots=True)
class Document:
    """A workflow as text keeps it, secrets masked; `key` is None where its name alone identifies it."""

    key: str | None
    enabled: bool
    definition: JsonObject
    folder: str | None = None

    def as_json(self) -> JsonObject:
        """As files and the API have it; what is None is left out."""
        return {name: value for name, value in asdict(self).items() if value is not None}


@dataclass(frozen=True, slots=True)
class AppliedWorkflow:
    key: str | None
    name: str
    outcome: Outcome
    id: UUID
    version_id: UUID | None
    warnings: Sequence[Problem] | None
    """What is written in its definition and has no effect; None where there is no such thing."""


@dataclass(frozen=True, slots=True)
class PlannedWorkflow:
    """The effect that applying the bundle has on a workflow; `id` and `before` are None for a new one."""

    key: str | None
    name: str
    outcome: Outcome
    id: UUID | None
    before: Document | None
    after: Document
    warnings: Sequence[Problem] | None


@dataclass(frozen=True, slots=True)
class Applied:
    """The effects of a bundle in its order; with `dry_run`, those that applying it would have."""

    dry_run: bool
    workflows: Sequence[AppliedWorkflow | PlannedWorkflow]


@dataclass
class _Entry:
    """One workflow of a bundle, on its way in."""

    wanted: BundledWorkflow
    problems: list[Problem]
    workflow: Workflow | None = None
    new: bool = False
    reading: Reading = field(default_factory=lambda: Reading(None))
    definition_problems: list[Problem] = field(default_factory=list)
    """Problems of the definition itself."""
    not_found: set[str] = field(default_factory=set)
    """Pointers to keys that no workflow has."""
    before: Document | None = None
    outcome: Outcome = "unchanged"

    @classmethod
    def of(cls, wanted: BundledWorkflow) -> Self:
        return cls(wanted, list(wanted.problems))

    @property
    def key(self) -> str | None:
        return self.wanted.key

    @property
    def name(self) -> str:
        return self.wanted.name

    def enabled(self, otherwise: bool) -> bool:
        """Whether the workflow is to be enabled; `otherwise` where the bundle does not say."""
        return otherwise if self.wanted.enabled is None else self.wanted.enabled

    def key_of(self, workflow: Workflow) -> str | None:
        """The key that the workflow has, or gets."""
        return workflow.key if not self.key or id_as_key(self.key) == workflow.id else self.key

    def add_problem(self, problem: Problem) -> None:
        """Add a problem of the entry, not of its definition; at each pointer only the first is kept."""
        if problem.pointer not in {earlier.pointer for earlier in self.problems}:
            self.problems.append(problem)

    def add_problems(self, problems: Iterable[Problem]) -> None:
        """Add problems of the definition, but for those at references to workflows whose key was not found."""
        self.definition_problems += [problem for problem in problems if problem.pointer not in self.not_found]

    @property
    def written(self) -> Workflow:
        """The workflow that the entry became; it has no problems."""
        assert self.workflow is not None
        return self.workflow

    @property
    def all_problems(self) -> list[Problem]:
        """The entry's problems, with pointers from the root of the bundle."""
        inner = [problem.under("/definition") for problem in at_most(self.definition_problems)]
        return [problem.under(self.wanted.pointer) for problem in [*self.problems, *inner]]


@dataclass(frozen=True, slots=True)
class Bundles:
    workflows: Workflows

    def export(
        self, session: Session, user_id: UUID, wanted: Sequence[str], *, page: int = 0, size: int = MOST_WORKFLOWS
    ) -> list[Document]:
        """The user's workflows as documents, by name, secrets masked, those that are drafts left out; `wanted` are keys
        or names, none: all. One without a key whose name others have, too, gets its id as its key: applying has to
        find each again.

        Commits."""
        mine = select(Workflow).where(Workflow.user_id == user_id, ~Workflow.is_draft)
        if wanted:
            mine = mine.where(or_(Workflow.key.in_(wanted), Workflow.name.in_(wanted)))
        by_name = mine.order_by(func.lower(Workflow.name), Workflow.id).offset(page * size).limit(size)
        return self._export(session, user_id, by_name)

    def export_by_id(self, session: Session, user_id: UUID, workflow_ids: Sequence[UUID]) -> list[Document]:
        """As `export`, those of the user's workflows that are named by their ids. Commits."""
        mine = select(Workflow).where(Workflow.user_id == user_id, Workflow.id.in_(workflow_ids), ~Workflow.is_draft)
        return self._export(session, user_id, mine.order_by(func.lower(Workflow.name), Workflow.id))

    def _export(self, session: Session, user_id: UUID, wanted: Select[Workflow]) -> list[Document]:
        keys, shared = _keys(session, user_id), _shared_names(session, user_id)
        found = [(workflow, self._document(workflow, keys)) for workflow in session.scalars(wanted)]
        documents = [
            replace(document, key=str(workflow.id)) if document.key is None and workflow.name in shared else document
            for workflow, document in found
        ]
        record(session, Action.WORKFLOWS_EXPORTED, by=user_id, workflows=len(documents))
        session.commit()
        return documents

    def apply(self, session: Session, user_id: UUID, bundle: Bundle) -> Applied:
        """Makes the user's workflows what the bundle says, in one transaction; what is as it says already is left
        alone. Raises Invalid with the problems of all workflows, Conflict, and Forbidden above the account's quota."""
        entries = [_Entry.of(wanted) for wanted in bundle.workflows]
        # One bundle of a user at a time: else two of them could make the same workflow twice.
        session.execute(
            text("SELECT pg_advisory_xact_lock(hashtextextended(:whose, 0))"), {"whose": f"apply {user_id}"}
        )
        self._match(session, user_id, entries)
        self._validate(session, user_id, entries)
        self._write(session, user_id, entries, bundle.note)
        self._validate_names(session, user_id, entries)
        raise_any([problem for entry in entries for problem in entry.all_problems])
        keys = _keys(session, user_id)
        if bundle.dry_run:
            planned = [self._plan_entry(entry, keys) for entry in entries]
            session.rollback()
            return Applied(True, planned)
        applied = [self._apply_entry(entry) for entry in entries]
        # somebody may give one of the keys to another workflow at the same moment
        with refused_as(session, Conflict(sentence("a workflow changed at the same moment; please apply again"))):
            session.commit()
        return Applied(False, applied)

    def _match(self, session: Session, user_id: UUID, entries: Sequence[_Entry]) -> None:
        """Finds the workflow that each entry means, or makes a new row for it."""
        keys, names = [entry.key for entry in entries if entry.key], [entry.name for entry in entries]
        ids = [id_ for key in keys if (id_ := id_as_key(key))]
        rows = session.scalars(
            select(Workflow)
            .where(
                Workflow.user_id == user_id,
                or_(Workflow.key.in_(keys), Workflow.name.in_(names), Workflow.id.in_(ids)),
            )
            .order_by(Workflow.id)
            .with_for_update()
        ).all()
        taken: dict[UUID, _Entry] = {}
        for entry in entries:
            _find(entry, rows)
            if entry.workflow is None:
                entry.new = True
                entry.workflow = Workflow(
                    id=uuid7(), user_id=user_id, name=entry.name, key=entry.key, enabled=entry.enabled(True)
                )
                session.add(entry.workflow)
            first = taken.setdefault(entry.workflow.id, entry)
            if first is not entry:
                entry.add_problem(
                    Problem(
                        "/definition/name", sentence("is the same workflow as %(place)s", place=first.wanted.pointer)
                    )
                )
        session.flush()
        if any(entry.new for entry in entries):
            quota.require_room(session, self.workflows.triggers.settings, user_id)
        own_keys = _keys(session, user_id)
        for entry in entries:
            if not entry.new and entry.workflow is not None:
                entry.before = self._document(entry.workflow, own_keys)

    def _validate(self, session: Session, user_id: UUID, entries: Sequence[_Entry]) -> None:
        """Every problem but those of names: the workflows that are called are to be written first."""
        ids = {key: id_ for id_, key in _keys(session, user_id).items()}
        ids |= {entry.key: entry.workflow.id for entry in entries if entry.key and entry.workflow}
        hints = Hints()
        for entry in entries:
            unknown = [(pointer(path), key) for path, key in called_keys(entry.wanted.definition) if key not in ids]
            entry.add_problems(
                Problem(
                    at,
                    sentence(
                        "there is no workflow with the key %(key)s%(hint)s",
                        key=quoted(key),
                        hint=hints.hint(key, "keys", lambda: ids),
                    ),
                )
                for at, key in unknown
            )
            entry.not_found = {at for at, _ in unknown}
            named = with_ids({"actions": [], **entry.wanted.definition}, ids)
            entry.reading = read(settle_api_steps(session, self.workflows.catalog, user_id, named))
            entry.add_problems(entry.reading.problems)
            entry.add_problems(self.workflows.problems_of(entry.reading, None if entry.new else entry.workflow))

    def _write(self, session: Session, user_id: UUID, entries: Sequence[_Entry], note: str | None) -> None:
        """The entries without problems; the caller rolls back if there are others."""
        for entry in entries:
            workflow, definition = entry.workflow, entry.reading.definition
            if entry.all_problems or workflow is None or definition is None:
                continue
            enabled, key = entry.enabled(workflow.enabled), entry.key_of(workflow)
            folder = workflow.folder if entry.wanted.folder is None else entry.wanted.folder or None
            kept = (workflow.enabled, workflow.key, workflow.folder) == (enabled, key, folder)
            differs = entry.new or self.workflows.differs(session, workflow, definition)
            workflow.name, workflow.key, workflow.folder = definition.name, key, folder
            if entry.new:
                record(session, Action.WORKFLOW_CREATED, by=user_id, on=workflow.id, named=workflow.name)
            switch(session, workflow, enabled, user_id)
            if differs:
                self.workflows.keep(session, workflow, definition, user_id, note)
            elif not kept:
                self.workflows.triggers.manage(session, workflow, workflow.trigger_definition)
            entry.outcome = "created" if entry.new else "changed" if differs or not kept else "unchanged"

    def _validate_names(self, session: Session, user_id: UUID, entries: Sequence[_Entry]) -> None:
        session.flush()
        for entry in entries:
            # What is as it was is left alone, even where something that it names is gone since.
            if entry.workflow is not None and (entry.all_problems or entry.outcome != "unchanged"):
                entry.add_problems(self.workflows.problems_of_names(session, user_id, entry.reading, entry.workflow.id))

    def _plan_entry(self, entry: _Entry, keys: Mapping[UUID, str]) -> PlannedWorkflow:
        workflow = entry.written
        id_, after = None if entry.new else workflow.id, self._document(workflow, keys)
        warnings = self._warnings_of(entry)
        return PlannedWorkflow(workflow.key, workflow.name, entry.outcome, id_, entry.before, after, warnings)

    def _apply_entry(self, entry: _Entry) -> AppliedWorkflow:
        workflow, warnings = entry.written, self._warnings_of(entry)
        return AppliedWorkflow(workflow.key, workflow.name, entry.outcome, workflow.id, workflow.version_id, warnings)

    def _warnings_of(self, entry: _Entry) -> list[Problem] | None:
        found = self.workflows.warnings_of(entry.wanted.definition)
        return [warning.under("/definition") for warning in found] or None

    def _document(self, workflow: Workflow, keys: Mapping[UUID, str]) -> Document:
        masked = self.workflows.form.masked(published(workflow))
        parts = {part: masked[part] for part in ("name", "trigger", "settings", "actions") if masked[part] is not None}
        return Document(workflow.key, workflow.enabled, with_keys(parts, keys), workflow.folder)


def _find(entry: _Entry, rows: Sequence[Workflow]) -> None:
    """Find the entry's workflow by its key; else by its name, where only one workflow has that name."""
    own_id = id_as_key(entry.key)
    by_key = (row for row in rows if entry.key is not None and row.key == entry.key)
    by_id = (row for row in rows if row.id == own_id and row.key is None)
    entry.workflow = next(by_key, None) or next(by_id, None)
    if entry.workflow is not None or own_id is not None:
        return
    named = [row for row in rows if row.name == entry.name and (entry.key is None or row.key is None)]
    if len(named) > 1:
        rename, give_key = sentence("give the one that is meant another name first"), sentence("give it a key")
        entry.add_problem(
            Problem(
                "/definition/name",
                sentence(
                    "is the name of %(count)s workflows here; %(advice)s",
                    count=len(named),
                    advice=rename if entry.key else give_key,
                ),
            )
        )
    elif named:
        entry.workflow = named[0]


def _shared_names(session: Session, user_id: UUID) -> set[str]:
    """The names that several of the user's workflows have."""
    mine = select(Workflow.name).where(Workflow.user_id == user_id)
    return set(session.scalars(mine.group_by(Workflow.name).having(func.count() > 1)))


def _keys(session: Session, user_id: UUID) -> dict[UUID, str]:
    mine = select(Workflow.id, Workflow.key).where(Workflow.user_id == user_id, Workflow.key.is_not(None))
    return {id_: key for id_, key in session.execute(mine) if key is not None}
