"""Workflow files: found, read, and written."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from flowforge.ascode import yaml_reader
from flowforge.ascode.checking import problems_of, warnings_in
from flowforge.ascode.findings import Finding, flaws_in, located
from flowforge.ascode.form import document_of
from flowforge.ascode.yaml_reader import Document
from flowforge.errors import Problem
from flowforge.jsonio import JsonObject
from flowforge.workflows.workflow_keys import id_as_key

SUFFIXES = (".yaml", ".yml")
TEST_SUFFIXES = tuple(f".test{suffix}" for suffix in SUFFIXES)
MOST_FILES = 1_000


class Unusable(Exception):
    """A path cannot be used as it was meant; the text says why."""


@dataclass(frozen=True, slots=True)
class WorkflowFile:
    """A file that holds a workflow. `document` is None where it cannot be read; `flaws` say why."""

    path: Path
    source: Document
    document: JsonObject | None
    flaws: tuple[Finding, ...]

    @property
    def name(self) -> str:
        return str(self.path)

    def findings(self) -> list[Finding]:
        """All findings, as far as they can be made without a server."""
        if self.document is None:
            return list(self.flaws)
        return sorted([*self.flaws, *self.located(problems_of(self.document))], key=lambda finding: finding.line)

    def warnings(self) -> list[Finding]:
        """What is written in it and has no effect."""
        return [] if self.document is None else self.warned(warnings_in(self.document))

    def located(self, problems: Iterable[Problem]) -> list[Finding]:
        return located(self.name, self.source, problems)

    def warned(self, warnings: Iterable[Problem]) -> list[Finding]:
        return located(self.name, self.source, warnings, are_warnings=True)


def read_file(path: Path) -> WorkflowFile:
    """Read a file, with the findings inside it. Raises Unusable if there is no such file."""
    source, flaws = read_document(path)
    plain = source.plain()
    if source.root is not None and not isinstance(plain, dict):
        flaws = [*flaws, Finding(str(path), 1, "", "must be an object: a workflow has a name and actions")]
    return WorkflowFile(path, source, document_of(plain) if isinstance(plain, dict) else None, tuple(flaws))


def read_document(path: Path) -> tuple[Document, list[Finding]]:
    """Raises Unusable where it cannot be opened."""
    try:
        with path.open("rb") as file:
            data = file.read(yaml_reader.MAX_BYTES + 1)
    except OSError as error:
        raise Unusable(f"{path}: {error.strerror or error}") from error
    try:
        source = yaml_reader.read(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        if len(data) <= yaml_reader.MAX_BYTES:
            return Document(None), [Finding(str(path), line, "", "is not UTF-8")]
        source = yaml_reader.read("\n" * len(data))  # cut in the middle of a character: too large, which is a finding
    return source, flaws_in(str(path), source)


def find(paths: Sequence[Path]) -> list[Path]:
    """The workflow files that are named, and those in the folders that are named. Raises Unusable."""
    return _found(paths, lambda path: not path.name.endswith(TEST_SUFFIXES), "workflow")


def find_tests(paths: Sequence[Path]) -> list[Path]:
    """The test files that are named, lie beside the workflows that are named, or in the folders that are named.
    Raises Unusable."""
    beside = [_test_beside(path) if _is_workflow(path) else path for path in paths]
    return _found(beside, lambda path: path.name.endswith(TEST_SUFFIXES), "test")


def file_name(document: JsonObject, taken: Iterable[str]) -> str:
    """Choose a file name for a workflow that is written into a folder: its own key, or its name as a file system takes
    it."""
    key = document.get("key")
    title = key if key and not id_as_key(key) else _slug(str(document["definition"].get("name", "")))
    used, number, name = set(taken), 1, f"{title}.yaml"
    while name in used:
        number += 1
        name = f"{title}-{number}.yaml"
    return name


def _slug(name: str) -> str:
    ascii_ = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", ascii_.lower()).strip("-")[:80].rstrip("-") or "workflow"


def _is_workflow(path: Path) -> bool:
    return path.name.endswith(SUFFIXES) and not path.name.endswith(TEST_SUFFIXES) and not path.is_dir()


def _test_beside(path: Path) -> Path:
    for suffix in TEST_SUFFIXES:
        beside = path.with_name(path.stem + suffix)
        if beside.exists():
            return beside
    raise Unusable(f"{path}: there is no {path.stem}{TEST_SUFFIXES[0]} beside it")


def _found(paths: Sequence[Path], wanted: Callable[[Path], bool], kind: str) -> list[Path]:
    files: dict[Path, Path] = {}
    for path in paths:
        inside = list(_inside(path, wanted)) if path.is_dir() else [path]
        if not inside:
            raise Unusable(f"{path}: there is no {kind} file in this folder")
        files |= {file.resolve(): file for file in inside}
        if len(files) > MOST_FILES:
            raise Unusable(f"more than {MOST_FILES:,} {kind} files")
    return list(files.values())


def _inside(folder: Path, wanted: Callable[[Path], bool]) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if path.name.endswith(SUFFIXES) and wanted(path) and not hidden and path.is_file():
            yield path
