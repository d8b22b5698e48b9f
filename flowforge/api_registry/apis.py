"""APIs that an account has added: each a description under a name, in versions, with chosen operations as actions."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, defer

from flowforge import jsonio
from flowforge.api_registry.changes import LONGEST_ADDRESS, ChosenActions, DescriptionSource, NewApi, is_name, name_from
from flowforge.api_registry.fetching import read_source, shown_source
from flowforge.api_registry.views import (
    ApiActions,
    ApiSummary,
    ApiVersionView,
    ApiView,
    ChangedOperation,
    HitStep,
    VersionDifference,
)
from flowforge.apis.description import Description, OperationEntry, Refused
from flowforge.apis.differences import Difference, difference
from flowforge.audit.actions import Action
from flowforge.audit.recording import record
from flowforge.connectors.catalog import Catalog
from flowforge.db import apis_store
from flowforge.db.refusals import refused_as
from flowforge.db.tables import ApiRow, ApiVersionRow
from flowforge.errors import Conflict, Invalid, NotFound
from flowforge.ids import uuid7
from flowforge.kept_descriptions import version_name
from flowforge.secrets import Vault
from flowforge.sentences import sentence
from flowforge.views import view_of
from flowforge.wiring import Backends
from flowforge.workflows.api_steps import account_apis
from flowforge.workflows.api_uses import StepUse, api_uses

MOST = 100
"""APIs of one account."""
MOST_VERSIONS = 20
"""Files of one API."""
_ALL_CHOSEN = 30
"""The most operations that are all offered as actions from the start."""
_MOST_NAMED = 20


@dataclass(frozen=True, slots=True)
class Apis:
    """The operations, with what they need besides the session."""

    catalog: Catalog
    vault: Vault

    def all(self, session: Session, user_id: UUID) -> Sequence[ApiSummary]:
        """All APIs of an account, by name."""
        counts = func.jsonb_array_length(ApiVersionRow.operations), func.jsonb_array_length(ApiRow.actions)
        version = ApiVersionRow.title, ApiVersionRow.sha256, ApiVersionRow.number
        listed = select(ApiRow.id, ApiRow.name, ApiRow.source, ApiRow.updated_at, *version, *counts)
        mine = listed.join(ApiVersionRow, ApiVersionRow.id == ApiRow.version_id).where(ApiRow.user_id == user_id)
        return [
            ApiSummary(id_, name, title, version_name(sha256), number, source, operations, actions, updated_at)
            for id_, name, source, updated_at, title, sha256, number, operations, actions in session.execute(
                mine.order_by(ApiRow.name)
            )
        ]

    def actions(self, session: Session, user_id: UUID) -> Sequence[ApiActions]:
        """What the builder offers, by API. One statement."""
        offered = select(ApiRow.name, ApiVersionRow.title, ApiRow.actions)
        mine = offered.join(ApiVersionRow, ApiVersionRow.id == ApiRow.version_id).where(ApiRow.user_id == user_id)
        rows = session.execute(mine.order_by(ApiRow.name))
        return [ApiActions(row[0], row[1], [OperationEntry(**entry) for entry in row[2]]) for row in rows if row[2]]

    def get(self, session: Session, user_id: UUID, api_id: UUID) -> ApiView:
        """Get an API with the list of its operations. Raises NotFound."""
        return self._view(session, self._load(session, user_id, api_id))

    def create(self, session: Session, backends: Backends, user_id: UUID, new: NewApi) -> ApiView:
        """Read a description and add it. Commits. Raises Invalid, and Conflict for a name that is taken, and where
        there are too many."""
        self._require_room(session, user_id)
        session.rollback()  # the address may take its time
        description = read_source(new.source, backends.tools)
        if not description.entries:
            raise Invalid.at("/address" if new.source.address else "/file", sentence("describes no operation"))
        name = new.name or self._free_name(session, user_id, name_from(description.title))
        row = ApiRow(
            id=uuid7(),
            user_id=user_id,
            name=name,
            source=_one_line(shown_source(new.source)),
            actions=[],
        )
        version = _version(row.id, description, new.source)
        row.version_id = version.id
        if len(version.operations) <= _ALL_CHOSEN:
            row.actions = _usable(version)
        session.add(row)
        _record(session, Action.API_ADDED, row)
        with refused_as(session, Conflict(sentence("there is an API by that name already"))):
            session.flush()
        session.add(version)
        session.commit()
        return self._view(session, row)

    def choose(self, session: Session, user_id: UUID, api_id: UUID, chosen: ChosenActions) -> ApiView:
        """Offer these operations as actions, in place of those before. Commits. Raises NotFound, and Invalid for ids
        that no operation has."""
        row = self._load(session, user_id, api_id, lock=True)
        operations = {entry["id"]: entry for entry in self._present(session, row).operations}
        unknown = [id_ for id_ in chosen.ids if id_ not in operations]
        if unknown:
            raise Invalid.at(
                "/actions", sentence("there is no operation %(names)s", names=", ".join(unknown[:_MOST_NAMED]))
            )
        wanted = set(chosen.ids)
        row.actions = [entry for id_, entry in operations.items() if id_ in wanted]
        row.updated_at = datetime.now(UTC)
        _record(session, Action.API_CHANGED, row)
        session.commit()
        return self._view(session, row)

    def add_version(
        self, session: Session, backends: Backends, user_id: UUID, api_id: UUID, source: DescriptionSource
    ) -> ApiVersionView:
        """Read another file of the API and keep it, without taking it yet; a file that is kept already is found again.
        Commits. Raises NotFound, Invalid, Conflict."""
        self._load(session, user_id, api_id)
        session.rollback()
        description = read_source(source, backends.tools)
        row = self._load(session, user_id, api_id, lock=True)
        version = _version(row.id, description, source)
        known = session.scalar(_versions(row.id).where(ApiVersionRow.sha256 == version.sha256))
        if known is not None:
            return _version_view(known, row)
        self._make_room(session, user_id, row)
        session.add(version)
        _record(session, Action.API_CHANGED, row)
        session.commit()
        return _version_view(version, row)

    def file(self, session: Session, user_id: UUID, api_id: UUID, version_id: UUID) -> bytes:
        """The file of a version, as JSON: it is the same version wherever it is added. Raises NotFound."""
        version = self._version(session, self._load(session, user_id, api_id), version_id)
        kept = apis_store.read_file(session.connection(), version.id)
        if kept is None:
            raise NotFound(sentence("the API has no such version"))
        return kept[0]

    def compare(self, session: Session, user_id: UUID, api_id: UUID, version_id: UUID) -> VersionDifference:
        """What taking a version would change, and which steps that hits. Raises NotFound."""
        row = self._load(session, user_id, api_id)
        version = self._version(session, row, version_id)
        apis = account_apis(session, user_id)
        old = apis.find(row.name).description
        new = apis.find(row.name, f"sha256:{version.sha256}").description
        return _difference(version, row, difference(old, new), self.uses(session, user_id, row.name))

    def take(self, session: Session, user_id: UUID, api_id: UUID, version_id: UUID) -> ApiView:
        """Build new steps with a version from now on; existing steps keep theirs. Commits. Raises NotFound."""
        row = self._load(session, user_id, api_id, lock=True)
        version = self._version(session, row, version_id)
        chosen = {entry["id"] for entry in row.actions}
        row.actions = [entry for entry in version.operations if entry["id"] in chosen]
        row.version_id, row.updated_at = version.id, datetime.now(UTC)
        _record(session, Action.API_CHANGED, row, version=version_name(version.sha256))
        session.commit()
        return self._view(session, row)

    def drop(self, session: Session, user_id: UUID, api_id: UUID, version_id: UUID) -> None:
        """Delete a version. Commits. Raises NotFound, and Conflict for the present one and one that steps use."""
        row = self._load(session, user_id, api_id, lock=True)
        version = self._version(session, row, version_id)
        if version.id == row.version_id:
            raise Conflict(sentence("it is the present version: take another one first"))
        users = [use for use in self.uses(session, user_id, row.name) if use.version == version_name(version.sha256)]
        if users:
            raise Conflict(sentence("it is used by %(users)s", users=_named(users)))
        session.delete(version)
        _record(session, Action.API_CHANGED, row)
        session.commit()

    def delete(self, session: Session, user_id: UUID, api_id: UUID, *, force: bool = False) -> None:
        """Delete an API with all its versions. Commits. Raises NotFound, and Conflict where steps use it, unless
        `force`."""
        row = self._load(session, user_id, api_id, lock=True)
        users = self.uses(session, user_id, row.name)
        if users and not force:
            raise Conflict(sentence("it is used by %(users)s", users=_named(users)))
        _record(session, Action.API_DELETED, row)
        session.delete(row)
        session.commit()

    def uses(self, session: Session, user_id: UUID, name: str) -> Sequence[StepUse]:
        return api_uses(session, self.catalog, self.vault, user_id, name)

    def _load(self, session: Session, user_id: UUID, api_id: UUID, *, lock: bool = False) -> ApiRow:
        """Raises NotFound."""
        mine = select(ApiRow).where(ApiRow.user_id == user_id, ApiRow.id == api_id)
        row = session.scalar(mine.with_for_update() if lock else mine)
        if row is None:
            raise NotFound(sentence("there is no such API"))
        return row

    def _version(self, session: Session, row: ApiRow, version_id: UUID) -> ApiVersionRow:
        """Raises NotFound."""
        one = select(ApiVersionRow).where(ApiVersionRow.api_id == row.id, ApiVersionRow.id == version_id)
        version = session.scalar(one.options(defer(ApiVersionRow.content)))
        if version is None:
            raise NotFound(sentence("the API has no such version"))
        return version

    def _present(self, session: Session, row: ApiRow) -> ApiVersionRow:
        assert row.version_id is not None
        return self._version(session, row, row.version_id)

    def _view(self, session: Session, row: ApiRow) -> ApiView:
        present = self._present(session, row)
        kept = session.scalars(_versions(row.id).order_by(ApiVersionRow.created_at.desc()))
        return view_of(
            ApiView,
            row,
            title=present.title,
            version=version_name(present.sha256),
            number=present.number,
            format=present.format,
            operations=[OperationEntry(**entry) for entry in present.operations],
            actions=[entry["id"] for entry in row.actions],
            refused=[Refused(**part) for part in present.refused],
            versions=[_version_view(version, row) for version in kept],
        )

    def _require_room(self, session: Session, user_id: UUID) -> None:
        """Raises Conflict."""
        if (session.scalar(select(func.count()).where(ApiRow.user_id == user_id)) or 0) >= MOST:
            raise Conflict(sentence("there are %(most)s APIs already", most=MOST))

    def _make_room(self, session: Session, user_id: UUID, row: ApiRow) -> None:
        """Lets go of the oldest version that no step names, where there are many. Raises Conflict."""
        kept = session.scalars(_versions(row.id).order_by(ApiVersionRow.created_at)).all()
        if len(kept) < MOST_VERSIONS:
            return
        used = {use.version for use in self.uses(session, user_id, row.name)}
        idle = (each for each in kept if each.id != row.version_id and version_name(each.sha256) not in used)
        oldest = next(idle, None)
        if oldest is None:
            raise Conflict(
                sentence("there are %(most)s versions already, and steps use all of them", most=MOST_VERSIONS)
            )
        session.delete(oldest)

    def _free_name(self, session: Session, user_id: UUID, wanted: str) -> str:
        """The name, with a number behind it where it is taken."""
        taken = set(session.scalars(select(ApiRow.name).where(ApiRow.user_id == user_id)))
        names = [wanted, *(f"{wanted}-{number}" for number in range(2, MOST + 2))]
        return next(name for name in names if name not in taken and is_name(name))


def _versions(api_id: UUID) -> Select[ApiVersionRow]:
    """The versions of an API as lists show them: without their files, and the lists of what is in these."""
    inside = ApiVersionRow.content, ApiVersionRow.operations, ApiVersionRow.refused
    return select(ApiVersionRow).where(ApiVersionRow.api_id == api_id).options(*map(defer, inside))


def _version(api_id: UUID, description: Description, source: DescriptionSource) -> ApiVersionRow:
    file = description.as_json()
    return ApiVersionRow(
        id=uuid7(),
        api_id=api_id,
        sha256=hashlib.sha256(file).hexdigest(),
        title=description.title,
        number=description.version,
        format=description.format,
        address=_one_line(source.place),
        size=len(file),
        content=apis_store.compressed(file),
        operations=[asdict(entry) for entry in description.entries],
        refused=[asdict(part) for part in description.refused()],
        created_at=datetime.now(UTC),
    )


def _usable(version: ApiVersionRow) -> list[Mapping[str, Any]]:
    """The entries of operations that can be called."""
    refused = {part["operation"] for part in version.refused}
    return [entry for entry in version.operations if entry["id"] not in refused and not entry["deprecated"]]


def _version_view(version: ApiVersionRow, row: ApiRow) -> ApiVersionView:
    present = version.id == row.version_id
    return view_of(ApiVersionView, version, version=version_name(version.sha256), is_present=present)


def _difference(version: ApiVersionRow, row: ApiRow, found: Difference, users: Sequence[StepUse]) -> VersionDifference:
    removed = {entry.id for entry in found.removed}
    return VersionDifference(
        _version_view(version, row),
        found.added,
        found.removed,
        [ChangedOperation(operation, changes) for operation, changes in found.changed.items()],
        [
            HitStep(use, use.operation in removed, found.changed.get(use.operation, ()))
            for use in users
            if use.operation in removed or use.operation in found.changed
        ],
    )


def _one_line(text: str) -> str:
    """The text as PostgreSQL holds it, and a page shows it."""
    return " ".join(jsonio.writable(text).split())[:LONGEST_ADDRESS]


def _named(users: Sequence[StepUse]) -> str:
    return ", ".join(list(dict.fromkeys(use.workflow_name for use in users))[:_MOST_NAMED])


def _record(session: Session, action: Action, row: ApiRow, version: str | None = None) -> None:
    record(session, action, by=row.user_id, on=row.id, named=row.name, version=version)
