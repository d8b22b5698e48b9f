"""The commands export, apply, diff and validate. Each returns its exit code."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from flowforge import jsonio
from flowforge.ascode.apis import bring_apis, export_apis
from flowforge.ascode.client import Client
from flowforge.ascode.files import Unusable, WorkflowFile, file_name, find, read_file
from flowforge.ascode.findings import Finding
from flowforge.ascode.form import pointer_in_file, text_of
from flowforge.ascode.schema import workflow_schema
from flowforge.connectors.catalog import load_catalog
from flowforge.errors import Invalid, Problem
from flowforge.jsonio import JsonObject
from flowforge.sentences import sentence

OK, PROBLEMS, USAGE = 0, 1, 2
Say = Callable[[str], None]
_SCHEMA_LINE = "# yaml-language-server: $schema={url}/api/schema/workflow.json\n"


def export(client: Client, names: Sequence[str], folder: Path, say: Say) -> int:
    """Writes a file for each workflow, and for each description of an API that they name; what the folder has under the
    same name is replaced."""
    found = list(client.export(names))
    missing = [name for name in names if not any(name in _names(document) for document in found)]
    if missing:
        raise Unusable(f"there is no workflow called {', '.join(missing)}")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        taken: list[str] = []
        for document in found:
            name = file_name(document, taken)
            taken.append(name)
            (folder / name).write_text(_SCHEMA_LINE.format(url=client.url) + text_of(document), encoding="utf-8")
            say(f"{folder / name}")
        export_apis(client, found, folder, say)
    except OSError as error:
        raise Unusable(f"{error.filename or folder}: {error.strerror or error}") from error
    say(f"{len(found)} exported")
    return OK


def apply(client: Client, paths: Sequence[Path], say: Say, *, dry_run: bool, note: str | None) -> int:
    """Apply all files, or none; first the descriptions of APIs beside them that the server lacks."""
    files = _read_files(paths)
    bring_apis(client, files, say, dry_run=dry_run)
    try:
        applied = client.apply(_documents(files), dry_run=dry_run, note=note)
    except Invalid as error:
        return _report(_findings(files, error.problems), say, "nothing was applied")
    for file, result in zip(files, applied, strict=True):
        say(f"{result['outcome']:<10} {result['name']} ({file.name})")
        _warn(file.warned(_warnings(result)), say)
    say(_summary(result["outcome"] for result in applied) + (" (dry run: nothing was done)" if dry_run else ""))
    return OK


def diff(client: Client, paths: Sequence[Path], say: Say) -> int:
    """Print what applying the files would change; 1 if there is something."""
    files = _read_files(paths)
    bring_apis(client, files, say, dry_run=True)
    try:
        applied = client.apply(_documents(files), dry_run=True)
    except Invalid as error:
        return _report(_findings(files, error.problems), say, "they cannot be applied")
    changed = [(file, result) for file, result in zip(files, applied, strict=True) if result["outcome"] != "unchanged"]
    for file, result in changed:
        say("\n".join(_difference(file, result)))
    return PROBLEMS if changed else OK


def validate(paths: Sequence[Path], say: Say) -> int:
    """Validate files without a server."""
    files = [read_file(path) for path in find(paths)]
    findings = [finding for file in files for finding in [*file.findings(), *_repeated_keys(file, files)]]
    _warn([warning for file in files for warning in file.warnings()], say)
    if findings:
        return _report(findings, say, f"in {len({finding.file for finding in findings})} of {len(files)} files")
    say(f"{len(files)} valid")
    return OK


def schema(say: Say) -> int:
    """Print the JSON Schema of workflows, with this installation's connectors."""
    say(jsonio.dumps(workflow_schema(load_catalog())).decode())
    return OK


class Unreadable(Exception):
    """Files that cannot even be sent."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__(f"{len(findings)} problems")
        self.findings = findings


def report_unreadable(error: Unreadable, say: Say) -> int:
    return _report(error.findings, say, "nothing was sent")


def _read_files(paths: Sequence[Path]) -> list[WorkflowFile]:
    """Raises Unreadable with all findings of all files that need no server."""
    files = [read_file(path) for path in find(paths)]
    if any(file.flaws for file in files):
        raise Unreadable([finding for file in files for finding in file.findings()])
    return files


def _documents(files: Iterable[WorkflowFile]) -> list[JsonObject]:
    return [file.document for file in files if file.document is not None]


def _findings(files: Sequence[WorkflowFile], problems: Iterable[Problem]) -> list[Finding]:
    """The server's problems, each in the file it is about."""
    by_file: list[list[Problem]] = [[] for _ in files]
    others: list[Finding] = []
    for problem in problems:
        parts = problem.pointer.split("/", 3)
        if len(parts) > 2 and parts[1] == "workflows" and parts[2].isdecimal() and int(parts[2]) < len(files):
            rest = f"/{parts[3]}" if len(parts) > 3 else ""
            by_file[int(parts[2])].append(Problem(pointer_in_file(rest), problem.message))
        else:
            others.append(Finding("the request", 1, problem.pointer, problem.message))
    return [*others, *(found for file, own in zip(files, by_file, strict=True) for found in file.located(own))]


def _repeated_keys(file: WorkflowFile, files: Sequence[WorkflowFile]) -> list[Finding]:
    key = (file.document or {}).get("key")
    first = next((other for other in files if key is not None and (other.document or {}).get("key") == key), file)
    return (
        []
        if first is file
        else file.located([Problem("/key", sentence("is the key of %(name)s already", name=first.name))])
    )


def _report(findings: Sequence[Finding], say: Say, ending: str) -> int:
    for finding in findings:
        say(str(finding))
    say(f"{len(findings)} {'problem' if len(findings) == 1 else 'problems'}, {ending}")
    return PROBLEMS


def _warn(warnings: Iterable[Finding], say: Say) -> None:
    for warning in warnings:
        say(str(warning))


def _warnings(result: JsonObject) -> list[Problem]:
    """The warnings of the server about a file; one of an earlier release gives none."""
    found = result.get("warnings", [])
    return [Problem(pointer_in_file(warning["pointer"]), warning["message"]) for warning in found]


def _difference(file: WorkflowFile, applied: JsonObject) -> list[str]:
    before = text_of(applied["before"]) if applied["before"] else ""
    lines = list(
        difflib.unified_diff(
            before.splitlines(),
            text_of(applied["after"]).splitlines(),
            f"server/{applied['key'] or applied['name']}" if before else "/dev/null",
            file.name,
            lineterm="",
        )
    )
    return lines or [f"{file.name}: only secrets, or how it is stored, would change"]


def _summary(outcomes: Iterable[str]) -> str:
    every = list(outcomes)
    return ", ".join(f"{every.count(outcome)} {outcome}" for outcome in ("created", "changed", "unchanged"))


def _names(document: JsonObject) -> tuple[Any, Any]:
    return document.get("key"), document["definition"].get("name")


def to_standard_output(text: str) -> None:
    sys.stdout.write(text + "\n")
