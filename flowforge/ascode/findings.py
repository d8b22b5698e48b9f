"""Findings: what is wrong in a file and where, for people and for editors."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from flowforge.ascode.yaml_reader import Document
from flowforge.errors import Problem


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """`orders.yaml:12: /actions/0/config/url: is required`"""

    file: str
    line: int
    pointer: str
    message: str
    is_warning: bool = False
    """Whether the file can be used all the same."""

    def __str__(self) -> str:
        where = f"{self.pointer}: " if self.pointer else ""
        return f"{self.file}:{self.line}: {'warning: ' if self.is_warning else ''}{where}{self.message}"


def flaws_in(file: str, document: Document) -> list[Finding]:
    """Findings about the text itself, before it is read as a workflow."""
    return [Finding(file, flaw.line, "", flaw.message) for flaw in document.flaws]


def located(file: str, document: Document, problems: Iterable[Problem], *, are_warnings: bool = False) -> list[Finding]:
    """Problems of what the document holds, each with its line; in the order of the lines."""
    found = [
        Finding(file, document.line_of(problem.pointer), problem.pointer, problem.message, are_warnings)
        for problem in problems
    ]
    return sorted(found, key=lambda finding: finding.line)
