"""The APIs that workflows call: their descriptions are files beside those of the workflows, and are brought to a server
that does not have them.

A file is called as steps name its version, `apis/petstore@3f9a2c1b0d4e.json`: the same on every server.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from flowforge.api_registry.changes import is_name
from flowforge.ascode.client import Client
from flowforge.ascode.files import Unusable, WorkflowFile
from flowforge.connectors.described import API, VERSION
from flowforge.errors import Invalid
from flowforge.jsonio import JsonObject
from flowforge.kept_descriptions import DIGEST
from flowforge.language.tree import actions_in
from flowforge.workflows.validation import config_of

FOLDER = "apis"
_VERSION = re.compile(DIGEST + "[0-9a-f]{8,64}")
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class NamedVersion:
    """One version of an API, as steps name it."""

    api: str
    version: str

    @property
    def file_name(self) -> str:
        return f"{self.api}@{self.version.removeprefix(DIGEST)}.json"


def export_apis(client: Client, documents: Sequence[JsonObject], folder: Path, say: Say) -> None:
    """Writes the descriptions that the workflows name into a folder beside them. Raises OSError."""
    wanted = list(dict.fromkeys(version for document in documents for version in _named_in(document)))
    there = _Registry(client) if wanted else None
    for version in wanted:
        file = there.file(version) if there else None
        if file is None:
            say(f"{version.api} {version.version}: the server has no such description")
            continue
        path = folder / FOLDER / version.file_name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(file)
        say(str(path))


def bring_apis(client: Client, files: Sequence[WorkflowFile], say: Say, *, dry_run: bool) -> None:
    """Adds the descriptions that lie beside the workflows, are named by them, and are not on the server. Raises
    Unusable."""
    beside = dict(_files_beside(files))
    there = _Registry(client) if beside else None
    for version, path in beside.items():
        if there is None or there.has(version):
            continue
        if dry_run:
            say(f"{path}: is not on the server; applying adds it first")
        else:
            _add(there, version, path)
            say(f"{'added':<10} {version.api} ({path})")


def _add(there: _Registry, version: NamedVersion, path: Path) -> None:
    """Raises Unusable."""
    try:
        added = there.add(version, path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise Unusable(f"{path}: cannot be read: {error}") from error
    except Invalid as error:
        raise Unusable(f"{path}: {error}") from error
    if not _is_same(added, version.version):
        raise Unusable(f"{path}: is another description ({added}) than its name says")


def _files_beside(files: Iterable[WorkflowFile]) -> Iterator[tuple[NamedVersion, Path]]:
    for file in files:
        for version in _named_in(file.document or {}):
            path = file.path.parent / FOLDER / version.file_name
            if path.is_file():
                yield version, path


def _named_in(document: JsonObject) -> Iterator[NamedVersion]:
    definition = document.get("definition")
    for _, action in actions_in(definition.get("actions") if isinstance(definition, Mapping) else None):
        config = config_of(action) or {}
        api, version = str(config.get(API)), str(config.get(VERSION))
        if is_name(api) and _VERSION.fullmatch(version):
            yield NamedVersion(api, version)


class _Registry:
    """The APIs of the account on the server, each looked at once."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._ids = {api["name"]: api["id"] for api in client.apis()}
        self._versions: dict[str, Mapping[str, str]] = {}

    def has(self, version: NamedVersion) -> bool:
        return self._id_of(version) is not None

    def file(self, version: NamedVersion) -> bytes | None:
        """None where it has none."""
        id_ = self._id_of(version)
        return None if id_ is None else self._client.api_file(self._ids[version.api], id_)

    def add(self, version: NamedVersion, file: str) -> str:
        """The name of the version that it became. Raises Invalid."""
        self._versions.pop(version.api, None)
        if version.api in self._ids:
            return self._client.add_api_version(self._ids[version.api], file)
        added = self._client.add_api(version.api, file)
        self._ids[version.api] = added["id"]
        return str(added["version"])

    def _id_of(self, version: NamedVersion) -> str | None:
        api = version.api
        if api not in self._ids:
            return None
        if api not in self._versions:
            self._versions[api] = self._client.api_versions(self._ids[api])
        return next((id_ for name, id_ in self._versions[api].items() if _is_same(name, version.version)), None)


def _is_same(name: str, written: str) -> bool:
    """Whether a version is the one that is written: a step may name it by more or fewer digits of its digest."""
    return name.startswith(written) or written.startswith(name)
