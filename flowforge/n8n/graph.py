"""The shape of a workflow's graph: what is reached, where it goes back, and where ways meet again."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import cached_property

from flowforge.n8n.model import Link, Node, Workflow

BATCHES = "splitInBatches"
_DECIDING = frozenset({"if", "switch", "textClassifier", "sentimentAnalysis"})
_MERGING = frozenset({"merge", "compareDatasets"})


def reached(workflow: Workflow, start: str, without: Collection[str] = ()) -> set[str]:
    """The nodes that items from `start` can come to, itself included."""
    found, waiting = {start}, [start]
    while waiting:
        for link in workflow.links_from(waiting.pop()):
            if link.target not in found and link.target not in without:
                found.add(link.target)
                waiting.append(link.target)
    return found


class Shape:
    """The graph as it is reached from one trigger."""

    def __init__(self, workflow: Workflow, start: str) -> None:
        self.workflow = workflow
        self.start = start
        self.reached = reached(workflow, start)
        self._meeting: dict[str, bool] = {}

    def links_from(self, node: Node, output: int | None = None) -> list[Link]:
        links = self.workflow.links_from(node.name)
        return links if output is None else [link for link in links if link.output == output]

    def merges(self, node: Node) -> bool:
        """Whether it waits for several inputs."""
        return node.kind in _MERGING and len(self.inputs(node)) > 1

    def inputs(self, node: Node) -> set[int]:
        """The inputs of a node that items can come to."""
        return {link.input for link in self.workflow.links_to(node.name) if link.source in self.reached}

    @cached_property
    def repeated(self) -> frozenset[str]:
        """The nodes that some way leads back to, those that loop over batches aside."""
        return frozenset(link.target for link in self._links_back() if self._kind(link.target) != BATCHES)

    def meets(self, node: Node) -> bool:
        """Whether only one of the ways to a merging node is gone: they part at a node that decides."""
        if node.name not in self._meeting:
            deciding = (name for name in self.reached if self._kind(name) in _DECIDING)
            self._meeting[node.name] = any(self._parts_at(fork, node.name) for fork in deciding)
        return self._meeting[node.name]

    def _parts_at(self, fork: str, merge: str) -> bool:
        inside = reached(self.workflow, self.start, {fork}) if fork != self.start else {self.start}
        if merge in inside:
            return False
        outputs = {link.output for link in self.workflow.links_from(fork)}
        return sum(merge in self._reached_by(fork, output, merge) for output in outputs) > 1

    def _reached_by(self, fork: str, output: int, merge: str) -> set[str]:
        found: set[str] = set()
        for link in self.workflow.links_from(fork):
            if link.output == output and link.target != fork:
                found |= reached(self.workflow, link.target, {fork})
        return found

    def _links_back(self) -> Iterator[Link]:
        """The links that lead to a node on the way to them (depth first, without recursion)."""
        seen: set[str] = set()
        on_the_way: dict[str, Iterator[Link]] = {self.start: iter(self.workflow.links_from(self.start))}
        while on_the_way:
            name = next(reversed(on_the_way))
            seen.add(name)
            link = next(on_the_way[name], None)
            if link is None:
                del on_the_way[name]
            elif link.target in on_the_way:
                yield link
            elif link.target not in seen:
                on_the_way[link.target] = iter(self.workflow.links_from(link.target))

    def _kind(self, name: str) -> str:
        return self.workflow.nodes[name].kind
