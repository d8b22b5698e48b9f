"""How much of a folder of n8n's workflows can be imported: `python -m bench.n8n FOLDER`.

Prints the shares of workflows that are imported whole, of nodes and expressions that are mapped, and of definitions
that pass our check; each for all workflows and for those without AI agents; then why the others are not.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from flowforge.ascode.checking import problems_of
from flowforge.errors import Invalid
from flowforge.n8n.importing import Imported, import_file
from flowforge.n8n.report import Outcome

_AGENTS = ("agent", "agentTool", "mcpTrigger")
"""Nodes that let a model choose what is done, or that serve tools to one."""
_NUMBER = re.compile(r"(\d+)")


@dataclass
class Shares:
    """Counts of one group of workflows."""

    files: int = 0
    read: int = 0
    whole: int = 0
    nodes: int = 0
    mapped: int = 0
    expressions: int = 0
    in_code: int = 0
    untranslated: int = 0
    definitions: int = 0
    refused: int = 0

    def add(self, imported: Imported, refused: int) -> None:
        report = imported.report
        self.read += 1
        self.whole += report.is_whole
        self.nodes += len(report.nodes)
        self.mapped += len(report.nodes) - len(report.with_outcome(Outcome.LEFT))
        self.expressions += report.expressions
        self.in_code += report.expressions_in_code
        self.untranslated += len(report.untranslated)
        self.definitions += len(imported.workflows)
        self.refused += refused

    def lines(self) -> Iterator[str]:
        yield f"  workflows read           {_share(self.read, self.files)}"
        yield f"  imported whole           {_share(self.whole, self.read)}"
        yield f"  nodes mapped             {_share(self.mapped, self.nodes)}"
        yield f"  expressions translated   {_share(self.expressions - self.untranslated, self.expressions)}"
        yield f"    of these as code       {_share(self.in_code, self.expressions)}"
        yield f"  definitions that pass    {_share(self.definitions - self.refused, self.definitions)}"


@dataclass
class Reasons:
    left: Counter[str] = field(default_factory=Counter)
    alone: Counter[str] = field(default_factory=Counter)
    """Of workflows in which it is the only one."""
    untranslated: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument(
        "--numbers", choices=("even", "odd", "all"), default="all", help="by the number in the file name"
    )
    parser.add_argument("--most", type=int, default=30, help="reasons of each kind that are listed")
    wanted = parser.parse_args()
    groups = {"all workflows": Shares(), "without AI agents": Shares()}
    reasons = Reasons()
    began = time.process_time()
    for path in _files(wanted.folder, wanted.numbers):
        _try(path, groups, reasons)
    for name, shares in groups.items():
        sys.stdout.write(f"{name}\n" + "\n".join(shares.lines()) + "\n")
    sys.stdout.write(f"processor time: {time.process_time() - began:.0f} s\n")
    for title, counter in vars(reasons).items():
        if isinstance(counter, Counter):
            _list(title, counter, reasons.examples, wanted.most)


def _try(path: Path, groups: dict[str, Shares], reasons: Reasons) -> None:
    data = path.read_bytes()
    chosen = [groups["all workflows"]]
    if not any(f'langchain.{agent}"'.encode() in data for agent in _AGENTS):
        chosen.append(groups["without AI agents"])
    for shares in chosen:
        shares.files += 1
    try:
        imported = import_file(data)
    except Invalid as error:
        reasons.refused[str(error)] += 1
        return
    for each in imported:
        refused = _count(path, each, reasons)
        for shares in chosen:
            shares.add(each, refused)


def _count(path: Path, imported: Imported, reasons: Reasons) -> int:
    """The definitions that do not pass."""
    left = [f"{node.type}: {node.notes[0]}" for node in imported.report.with_outcome(Outcome.LEFT)]
    reasons.left.update(set(left))
    if len({reason.split(":")[0] for reason in left}) == 1:
        reasons.alone[left[0]] += 1
    reasons.untranslated.update(reason for _, reason in imported.report.untranslated)
    for reason in left:
        reasons.examples.setdefault(reason, path.name)
    refused = 0
    for workflow in imported.workflows:
        problems = problems_of({"key": "imported", "definition": workflow.definition})
        refused += bool(problems)
        for problem in problems[:3]:
            name = re.sub(r"'[^']*'|\d+", "…", problem.message)[:120]
            reasons.refused[name] += 1
            reasons.examples.setdefault(name, f"{path.name} {problem}")
    return refused


def _files(folder: Path, numbers: str) -> Iterable[Path]:
    for path in sorted(folder.rglob("*.json")):
        found = _NUMBER.match(path.name)
        is_even = found is not None and int(found[1]) % 2 == 0
        if numbers == "all" or (found is not None and is_even == (numbers == "even")):
            yield path


def _share(part: int, whole: int) -> str:
    return f"{part:>7,} of {whole:>7,}  {part / whole if whole else 0:6.1%}"


def _list(title: str, counter: Counter[str], examples: dict[str, str], most: int) -> None:
    sys.stdout.write(f"\n{title}\n")
    for reason, count in counter.most_common(most):
        sys.stdout.write(f"  {count:>5} {reason[:150]}   [{examples.get(reason, '')[:170]}]\n")


if __name__ == "__main__":
    main()
