"""`flowforge import n8n FILE…`: files of n8n's become workflow files of ours, with a report.

Exit codes: 0 nothing was left, 1 something was, 2 a file cannot be used.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any


def add_import(commands: Any) -> None:
    """Add the command to the subparsers of an argument parser; it sets `answer`, which gives the exit code."""
    help_text = "Turn workflows of another product into workflow files, with a report."
    parser: argparse.ArgumentParser = commands.add_parser("import", help=help_text, description=help_text)
    parser.add_argument("source", choices=["n8n"], help="the product they come from")
    parser.add_argument("files", nargs="+", type=Path, metavar="file", help="an exported file")
    parser.add_argument(
        "-d", "--directory", type=Path, default=Path(), metavar="folder", help="where to (default: here)"
    )
    parser.add_argument("--report-only", action="store_true", help="write no files")
    parser.set_defaults(answer=_import)


def _import(parsed: argparse.Namespace) -> int:
    from flowforge.errors import Invalid
    from flowforge.n8n.importing import import_file

    code = 0
    taken: list[str] = []
    for path in parsed.files:
        try:
            imported = import_file(_read(path))
            for each in imported:
                _say(_report_lines(each.report))
                if not parsed.report_only:
                    _say(_write(each, parsed.directory, taken))
                code = max(code, 0 if each.report.is_whole else 1)
        except OSError as error:
            code = _refuse(error.filename or path, error.strerror or str(error))
        except Invalid as error:
            code = _refuse(path, "; ".join(problem.message for problem in error.problems))
    return code


def _read(path: Path) -> bytes:
    from flowforge.n8n.reading import MAX_BYTES

    with path.open("rb") as file:
        return file.read(MAX_BYTES + 1)


def _write(imported: Any, folder: Path, taken: list[str]) -> Iterator[str]:
    """Writes a file for each workflow, headed by the sticky notes as comments."""
    from flowforge.ascode.files import file_name
    from flowforge.ascode.form import text_of

    folder.mkdir(parents=True, exist_ok=True)
    notes = "".join(f"# {line}\n" for note in imported.report.sticky_notes for line in [*note.splitlines(), ""])
    for workflow in imported.workflows:
        document = {"key": workflow.key} if workflow.key else {}
        document |= {"enabled": False, "definition": workflow.definition}
        name = file_name(document, taken)
        taken.append(name)
        (folder / name).write_text(notes + text_of(document), encoding="utf-8")
        yield f"  wrote {folder / name}"


def _report_lines(report: Any) -> Iterator[str]:
    """What became of a workflow, for people to read: what was left first."""
    from flowforge.n8n.report import Outcome

    counts = ", ".join(f"{len(report.with_outcome(outcome))} {outcome}" for outcome in Outcome)
    yield f"{report.name}: {counts}"
    for outcome in (Outcome.LEFT, Outcome.APPROXIMATED):
        for node in report.with_outcome(outcome):
            yield f"  {outcome}: {node.name} ({node.type})"
            yield from (f"    {note}" for note in node.notes)
    yield from (f"  {remark}" for remark in report.remarks)
    if report.connections:
        yield f"  connections to make: {', '.join(report.connections)}"


def _say(lines: Iterable[str]) -> None:
    for line in lines:
        sys.stdout.write(f"{line}\n")


def _refuse(path: object, message: str) -> int:
    sys.stderr.write(f"flowforge: {path}: {message}\n")
    return 2
