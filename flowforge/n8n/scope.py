"""What can be referred to at one place of the workflow that is built."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial

from flowforge.n8n.data import Data, Output, as_seen_from, held, quote, reach
from flowforge.n8n.names import slug


@dataclass
class Loop:
    """A loop that is built. What later steps want of its inside, it collects."""

    step: str
    """Its id."""
    depth: int
    """How many loops over lists there are around what is inside it."""
    repeats: bool = False
    """Whether it is a REPEAT: of that only the last round counts."""
    keys: dict[str, str] = field(default_factory=dict)
    """The names under which outputs of nodes inside are collected, by the names of the nodes."""
    collected: dict[str, str] = field(default_factory=dict)
    """The expressions of these outputs, as they are seen inside."""

    def output(self, node: str, inside: Entry) -> Output:
        """What the node has given in all rounds together."""
        key, inner = self._key(node), inside.output
        one = inner.many is None
        given = held(inner.item.object if one else inner.items)
        self.collected[key] = f"{as_seen_from(given, self.depth)} | default(none)"
        if self.repeats:
            path = reach(f"steps.{self.step}.last", key)
            return Output(Data(path)) if one else Output(many=path)
        rows = self._rows(key, inside, key)
        lists = partial(self._files, node, inside)
        return Output(
            many=rows if one else f"{rows} | flatten", renamed=inner.item.renamed, file_lists=lists, why=inner.why
        )

    def _files(self, node: str, inside: Entry, name: str) -> str | None:
        """The files of that name of all rounds together."""
        one = inside.output.many is None
        found = inside.output.file(name) if one else inside.output.file_list(name)
        if found is None:
            return None
        key = f"{self._key(node)}_{slug(name)}"
        self.collected[key] = f"{as_seen_from(held(found), self.depth)} | default(none)"
        rows = self._rows(key, inside, self._key(node))
        return rows if one else f"{rows} | flatten"

    def _rows(self, key: str, inside: Entry, mark: str) -> str:
        """What is collected under `key`, of the rounds that have something under `mark`."""
        rows = f"steps.{self.step}.results"
        if inside.uncertain:
            rows = f"{rows} | rejectattr({quote(mark)}, 'none')"
        return f"{rows} | map({quote(key)})"

    def _key(self, node: str) -> str:
        taken = self.keys.values()
        name = slug(node)
        return self.keys.setdefault(node, name if name not in taken else f"{name}_{len(taken)}")

    @property
    def collect(self) -> dict[str, str]:
        """The `collect` of its config."""
        if not self.collected:
            return {}
        fields = ", ".join(f"{quote(key)}: {path}" for key, path in sorted(self.collected.items()))
        return {"collect": f"{{{{ {{{fields}}} }}}}"}


@dataclass(frozen=True, slots=True)
class Entry:
    """The output of a node, as it is seen from a place."""

    output: Output
    uncertain: bool = False
    """Whether the node may not have run: it stands in one of several branches."""
    loop: Loop | None = None
    """The loop that it ran in, where that is over."""
    inside: Entry | None = None
    """What it was in there."""

    def read(self, node: str) -> Output:
        if self.loop is None or self.inside is None:
            return self.output.doubted() if self.uncertain else self.output
        inner = Entry(replace(self.inside, uncertain=False).read(node), self.inside.uncertain)
        return self.loop.output(node, inner)


Scope = Mapping[str, Entry]


@dataclass(frozen=True, slots=True)
class State:
    """Where the building is at."""

    scope: Scope = field(default_factory=dict)
    depth: int = 0
    """How many loops over lists are around."""
    implicit: bool = False
    """Whether the innermost loop is one that n8n does not show: a node that works on all items is outside of it."""
    open: Mapping[str, int] = field(default_factory=dict)
    """The nodes whose loops are around, for what leads back to them; each with the depth inside its loop."""

    def seeing(self, scope: Scope) -> State:
        return replace(self, scope=scope)


@dataclass(frozen=True, slots=True)
class Arrival:
    """Items that have come to a node which cannot be built where they are."""

    target: str
    input: int
    entry: Entry
    """The items."""
    source: str
    """The node they come from."""
    is_marked: bool = False
    """Whether a step says already that they lead to another round."""


def closed(scope_before: Scope, scope_inside: Scope, loop: Loop) -> dict[str, Entry]:
    """The scope after a loop: what ran inside is seen through its results."""
    after = dict(scope_before)
    for node, entry in scope_inside.items():
        before = scope_before.get(node)
        if before is None or (entry != before and before.output.many != entry.output.many):
            after[node] = Entry(entry.output, entry.uncertain, loop, entry)
    return after


def closed_arrival(arrival: Arrival, loop: Loop) -> Arrival:
    return replace(arrival, entry=Entry(arrival.entry.output, arrival.entry.uncertain, loop, arrival.entry))


def doubtful(entry: Entry) -> Entry:
    return replace(entry, uncertain=True)
