"""A graph of n8n's becomes a list of steps: trees as they are, joins by copied tails, loops as loops.

What n8n does silently is written out: a node that gets a list is done once for each item, so a FOR_EACH stands around
it and all that follows, up to a node that works on all items.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from flowforge.jsonio import JsonObject
from flowforge.language.tree import actions_in
from flowforge.n8n.asking import Asked, Ending, Fork, Left, Result, Way
from flowforge.n8n.data import Data, Output, as_seen_from, held, item_at
from flowforge.n8n.expressions.lexer import NotRead
from flowforge.n8n.graph import BATCHES, Shape
from flowforge.n8n.model import Link, Node, Workflow
from flowforge.n8n.names import Names, shortened
from flowforge.n8n.nodes import node_types
from flowforge.n8n.report import NodeNotes
from flowforge.n8n.scope import Arrival, Entry, Loop, Scope, State, closed, closed_arrival, doubtful
from flowforge.n8n.stand_ins import code_before, disabled_step, with_errors, with_retries
from flowforge.n8n.values import Computed, Tally, Uncomputable, Values
from flowforge.sentences import Count, message_of, sentence

MOST_STEPS = 900
ODD_PARAMETERS = (AttributeError, TypeError, ValueError, KeyError, IndexError)
"""What reading parameters ends in that are of another shape than n8n writes them."""
MOST_ROUNDS = 1_000


class TooLarge(Exception):
    """So many ways lead together in the graph that the list of steps would be too long."""


@dataclass(frozen=True, slots=True)
class Body:
    """A list of steps, what it leaves behind, and the items that have come to nodes outside of it."""

    actions: list[JsonObject]
    scope: Scope
    arrivals: Sequence[Arrival] = ()


@dataclass
class Budget:
    """The nodes that may still be worked on, of all workflows in a file: copies of tails and second tries count."""

    nodes: int = 5_000

    def take(self) -> None:
        """Raises TooLarge."""
        self.nodes -= 1
        if self.nodes < 0:
            raise TooLarge


@dataclass
class Gathered:
    """What is gathered over all the workflows that are made of one."""

    budget: Budget
    notes: dict[str, NodeNotes] = field(default_factory=dict)
    connections: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    """Nodes whose steps our own check refuses, with the reason: they are left."""
    tally: Tally = field(default_factory=Tally)

    def of(self, node: str) -> NodeNotes:
        return self.notes.setdefault(node, NodeNotes())


@dataclass(frozen=True, slots=True)
class _Spot:
    """The place of one node: see `Place`."""

    given: Output
    state: State
    zone: str
    resumed_by: str | None = None

    @property
    def depth(self) -> int:
        return self.state.depth

    def node(self, name: str) -> Output | None:
        entry = self.state.scope.get(name)
        return entry.read(name) if entry else None


class Builder:
    """Builds the steps that follow one trigger."""

    def __init__(self, workflow: Workflow, trigger: Node, gathered: Gathered) -> None:
        self.workflow = workflow
        self.gathered = gathered
        self.shape = Shape(workflow, trigger.name)
        self.names = Names()
        self._trigger = trigger
        self._loops: list[tuple[Loop, JsonObject]] = []
        self._steps = 0

    def build(self, output: Output, first: Sequence[JsonObject] = ()) -> list[JsonObject]:
        """The steps after a trigger that gives `output`, behind those that come `first`. Raises TooLarge."""
        for _, action in actions_in(list(first)):
            self.names.new(action["id"], self._trigger.name)
        state = State({self._trigger.name: Entry(output)})
        body = self._follow(self.shape.links_from(self._trigger), Entry(output), state)
        body = self._settle(body, state, everything=True)
        for loop, action in self._loops:
            action["config"] |= loop.collect
        return [*first, *body.actions]

    # -- ways

    def _follow(self, links: Iterable[Link], entry: Entry, state: State) -> Body:
        """What follows along several links, one after another. A way that does not part is gone in a loop, however long
        it is."""
        body, links = Body([], state.scope), list(links)
        while len(links) == 1 and self._is_straight(links[0], entry, state):
            body, links, entry = self._go_on(links[0], entry, body, state)
        for link in links:
            body = joined(body, self._enter(link, entry, state.seeing(body.scope)))
        return self._settle(body, state)

    def _is_straight(self, link: Link, entry: Entry, state: State) -> bool:
        """Whether the node that a link leads to becomes steps right here, with no block around them."""
        node = self.workflow.nodes[link.target]
        if node.kind == BATCHES or node.name in state.open or node.name in self.shape.repeated:
            return False
        if self._takes_all(node):
            return not (state.implicit or self.shape.merges(node))
        return entry.read(link.source).many is None

    def _go_on(self, link: Link, entry: Entry, body: Body, state: State) -> tuple[Body, list[Link], Entry]:
        """The body with the steps of the next node; the links that are left to follow, and what flows along them."""
        node, seen = self.workflow.nodes[link.target], state.seeing(body.scope)
        arrival = Arrival(node.name, link.input, entry, link.source)
        given = _together([arrival])
        self._take_room()
        actions, result = self._mapped(node, given, [arrival], seen)
        if not isinstance(result, Output) or self._way_for_errors(node, actions):
            return joined(body, self._done(node, given, actions, result, seen)), [], entry
        after = Body(actions, {**body.scope, node.name: Entry(result)})
        return joined(body, after), self.shape.links_from(node), Entry(result)

    def _enter(self, link: Link, entry: Entry, state: State) -> Body:
        node = self.workflow.nodes[link.target]
        arrival = Arrival(link.target, link.input, entry, link.source)
        if node.name in state.open:
            return self._back(node, arrival, state)
        if self.shape.merges(node) and not self.shape.meets(node):
            return Body([], state.scope, [arrival])
        if state.implicit and self._takes_all(node):
            return Body([], state.scope, [arrival])
        return self.run(node, [arrival], state)

    def _takes_all(self, node: Node) -> bool:
        known = node_types().get(node.kind)
        return node.kind == BATCHES or node.once or (known is not None and known.whole_list)

    def run(self, node: Node, arrivals: Sequence[Arrival], state: State) -> Body:
        """The node, and all that follows it."""
        given = _together(arrivals)
        if node.name in self.shape.repeated and node.name not in state.open:
            return self._repeat(node, given, arrivals, state)
        if node.kind == BATCHES:
            return self._batches(node, given, state)
        if given.many is not None and not self._takes_all(node) and not self.shape.merges(node):
            return self._for_each(node, given, state)
        return self._do(node, given, arrivals, state)

    def _do(self, node: Node, given: Output, arrivals: Sequence[Arrival], state: State) -> Body:
        self._take_room()
        actions, result = self._mapped(node, given, arrivals, state)
        return self._done(node, given, actions, result, state)

    def _done(self, node: Node, given: Output, actions: list[JsonObject], result: Result, state: State) -> Body:
        """The steps of a node, with what follows it."""
        if isinstance(result, Ending):
            return Body(actions, state.scope)
        if isinstance(result, Fork):
            seen = state.seeing({**state.scope, node.name: Entry(given)})
            body = (
                self._all_ways(node, given, result, seen)
                if result.all_that_hold
                else self._fork(node, given, result, seen)
            )
            return joined(Body(actions, state.scope), body)
        after = state.seeing({**state.scope, node.name: Entry(result)})
        return joined(Body(actions, after.scope), self._after(node, result, actions, after))

    def _take_room(self) -> None:
        """Raises TooLarge where there is no room for one more node."""
        self._steps += 1
        self.gathered.budget.take()
        if self._steps > MOST_STEPS:
            raise TooLarge

    def _after(self, node: Node, output: Output, actions: Sequence[JsonObject], state: State) -> Body:
        """What follows a node that has given its output; one with a way for errors goes there where there is one."""
        last = self._way_for_errors(node, actions)
        if not last:
            return self._follow(self.shape.links_from(node), Entry(output), state)
        failed = f"steps.{actions[-1]['id']}"
        fork = Fork(
            [
                Way(last, f"{failed}.error is defined", "failed", Output(Data(failed))),
                Way(0, None, "done", output),
            ]
        )
        return self._fork(node, output, fork, state)

    def _way_for_errors(self, node: Node, actions: Sequence[JsonObject]) -> int:
        """The output along which its errors go; 0 where they go nowhere."""
        if node.on_error != "continueErrorOutput" or not actions:
            return 0
        return max((link.output for link in self.shape.links_from(node)), default=0)

    # -- one node

    def _mapped(
        self, node: Node, given: Output, arrivals: Sequence[Arrival], state: State
    ) -> tuple[list[JsonObject], Result]:
        """Its steps, and what it gives."""
        asked = self._asked(node, given, arrivals, state)
        notes = self.gathered.of(node.name)
        try:
            result = self._result(asked)
        except (Left, Uncomputable, NotRead, *ODD_PARAMETERS) as error:
            known = isinstance(error, Left | Uncomputable | NotRead)
            reason = message_of(error) if known else sentence("its parameters have a form that is not known")
            notes.left = notes.left or reason
            notes.add(asked.values.notes)
            step = disabled_step(node, reason, self.names)
            return [step], Output(Data(f"steps.{step['id']}", doubtful=True))
        notes.add(asked.values.notes)
        self.gathered.connections += [name for name in asked.connections if name not in self.gathered.connections]
        actions = with_errors(node, with_retries(node, asked.actions))
        if node.disabled:
            return [{**action, "enabled": False} for action in actions], given
        return [*code_before(asked.values.computed, asked.values.place, node), *actions], result

    def _asked(self, node: Node, given: Output, arrivals: Sequence[Arrival], state: State) -> Asked:
        if node.once and given.many is not None:
            given = Output(given.item)
        zone = self.workflow.time_zone or "UTC"
        spot = _Spot(given, state, zone, self._resumed_by)
        computed = Computed(self.names.new(f"{node.name[:40]} values", node.name))
        values = Values(spot, computed, self.gathered.tally)
        inputs = {
            number: _together([a for a in arrivals if a.input == number]) for number in {a.input for a in arrivals}
        }
        return Asked(node, self.workflow, values, self.names, inputs)

    @property
    def _resumed_by(self) -> str | None:
        return None

    def _result(self, asked: Asked) -> Result:
        known = node_types().get(asked.node.kind)
        if asked.node.name in self.gathered.refused:
            raise Left(self.gathered.refused[asked.node.name])
        if known is None:
            raise Left(sentence("there is no counterpart of %(type)s", type=asked.node.type))
        return known.map(asked)

    # -- blocks

    def _fork(self, node: Node, given: Output, fork: Fork, state: State) -> Body:
        """A BRANCH: each way with all that follows on it."""
        bodies = [self._way(node, given, way, state) for way in fork.ways]
        step: JsonObject = {"id": self.names.new(node.name, node.name), "name": shortened(node.name), "type": "BRANCH"}
        conditions = [
            {"name": shortened(way.name), "when": _braced(way.when, state), "actions": body.actions}
            for way, body in zip(fork.ways, bodies, strict=True)
            if way.when is not None
        ]
        otherwise = [body.actions for way, body in zip(fork.ways, bodies, strict=True) if way.when is None]
        step["branches"] = conditions
        if otherwise and otherwise[0]:
            step["else"] = otherwise[0]
        scope = dict(state.scope)
        for body in bodies:
            scope |= {name: doubtful(entry) for name, entry in body.scope.items() if name not in state.scope}
        arrivals = [replace(arrival, entry=doubtful(arrival.entry)) for body in bodies for arrival in body.arrivals]
        return Body([step], scope, arrivals)

    def _all_ways(self, node: Node, given: Output, fork: Fork, state: State) -> Body:
        """Several BRANCHes one after another: an item may go all of their ways."""
        body = Body([], state.scope)
        for way in fork.ways:
            body = joined(body, self._fork(node, given, Fork([way]), state.seeing(body.scope)))
        return body

    def _way(self, node: Node, given: Output, way: Way, state: State) -> Body:
        entry = Entry(way.given or given)
        return self._follow(self.shape.links_from(node, way.output), entry, state)

    def _for_each(self, node: Node, given: Output, state: State) -> Body:
        """A FOR_EACH around a node that gets a list, and all that follows up to a node that works on all items."""
        loop = self._loop(f"each {node.name}", state.depth + 1, node)
        inside = replace(state, depth=loop.depth, implicit=True, scope=_looped(state.scope, given, loop.depth))
        item = given.looped(loop.depth)
        body = self.run(node, [Arrival(node.name, 0, Entry(replace(item, many=None)), "")], inside)
        action: JsonObject = {
            "id": loop.step,
            "name": shortened(f"For each: {node.name}"),
            "type": "FOR_EACH",
            "config": {"items": _braced(given.items, state)},
            "actions": body.actions,
        }
        return self._closed(loop, action, body, state)

    def _batches(self, node: Node, given: Output, state: State) -> Body:
        """A FOR_EACH for a loop over batches; what comes back to it is what it gives in the end."""
        loop = self._loop(node.name, state.depth + 1, node)
        size = node.parameters.get("batchSize", 10 if node.version < 2 else 1)
        alone = size == 1
        item = Output(Data(item_at(loop.depth))) if alone else Output(many=item_at(loop.depth))
        scope = {**_looped(state.scope, given, loop.depth), node.name: Entry(item)}
        inside = State(scope, loop.depth, False, {**state.open, node.name: loop.depth})
        done, each = (0, 1) if node.version >= 3 else (1, 0)
        body = self._follow(self.shape.links_from(node, each), Entry(item), inside)
        self.gathered.of(node.name)
        items = given.items if alone else f"{held(given.items)} | chunk({_size(size, self.gathered.of(node.name))})"
        action: JsonObject = {
            "id": loop.step,
            "name": shortened(node.name),
            "type": "FOR_EACH",
            "config": {"items": _braced(items, state)},
            "actions": body.actions,
        }
        back = [arrival for arrival in body.arrivals if arrival.target == node.name]
        if not back:
            self.gathered.of(node.name).add(
                [sentence("nothing leads back to it: n8n does only the first batch, here all are done")]
            )
        others = replace(body, arrivals=[arrival for arrival in body.arrivals if arrival.target != node.name])
        after = self._closed(loop, action, others, state)
        gone = Entry(Output(many=f"steps.{loop.step}.results"))
        entry = _together_entry([closed_arrival(arrival, loop) for arrival in back]) if back else gone
        seen = state.seeing({**after.scope, node.name: entry})
        return joined(after, self._follow(self.shape.links_from(node, done), entry, seen))

    def _repeat(self, node: Node, given: Output, arrivals: Sequence[Arrival], state: State) -> Body:
        """A REPEAT around a node that some way leads back to, and all that follows: a round that does not come back is
        the last."""
        if given.many is not None and not self._takes_all(node):
            return self._for_each(node, given, state)
        loop = self._loop(f"repeat {node.name}", state.depth, node, repeats=True)
        inside = State(state.scope, state.depth, state.implicit, {**state.open, node.name: state.depth})
        carried = Output(Data("carry")) if given.many is None else Output(many="carry")
        body = self._do(node, carried, [Arrival(node.name, 0, Entry(carried), "")], inside)
        back = [arrival for arrival in body.arrivals if arrival.target == node.name]
        again = [arrival.source for arrival in back]
        config = {
            "until": _until(again),
            "most": MOST_ROUNDS,
            "start": _braced(given.items if given.many is not None else given.item.object, state),
        }
        if again:
            config["carry"] = f"{{{{ {_carried(again)} }}}}"
        self.gathered.of(node.name).add(
            [sentence("the way back became a REPEAT, of %(most)s rounds at most", most=Count(MOST_ROUNDS))]
        )
        action: JsonObject = {
            "id": loop.step,
            "name": shortened(f"Repeat from: {node.name}"),
            "type": "REPEAT",
            "config": config,
            "actions": body.actions,
        }
        others = replace(body, arrivals=[arrival for arrival in body.arrivals if arrival.target != node.name])
        return self._closed(loop, action, others, state)

    def _back(self, node: Node, arrival: Arrival, state: State) -> Body:
        """A way back to a node whose loop is around."""
        if node.kind == BATCHES or state.depth > state.open[node.name]:
            return Body([], state.scope, [arrival])
        return self._again(node, [arrival], state)

    def _again(self, node: Node, arrivals: Sequence[Arrival], state: State) -> Body:
        """A step that says that there is another round, with the items that it begins with."""
        self._take_room()
        output = _together(arrivals)
        step = self.names.new(f"again {node.name}", node.name)
        action: JsonObject = {
            "id": step,
            "name": shortened(f"Again: {node.name}"),
            "type": "TRANSFORM",
            "config": {"output": {"again": _braced(output.items if output.many else output.item.object, state)}},
        }
        if output.many is not None:
            action["when"] = _braced(f"{held(output.many)} | length > 0", state)
        return Body([action], state.scope, [replace(arrivals[0], source=step, is_marked=True)])

    def _loop(self, name: str, depth: int, node: Node, *, repeats: bool = False) -> Loop:
        return Loop(self.names.new(name, node.name), depth, repeats)

    def _closed(self, loop: Loop, action: JsonObject, body: Body, state: State) -> Body:
        self._loops.append((loop, action))
        scope = closed(state.scope, body.scope, loop)
        arrivals = [closed_arrival(arrival, loop) for arrival in body.arrivals]
        return self._settle(Body([action], scope, arrivals), state)

    def _settle(self, body: Body, state: State, *, everything: bool = False) -> Body:
        """The list with the nodes that waited for items and can be done at its end. `everything`: no more come."""
        while True:
            group = self._ready(body.arrivals, state, everything)
            if not group:
                return body
            others = [arrival for arrival in body.arrivals if arrival.target != group[0].target]
            node = self.workflow.nodes[group[0].target]
            follow = self._again if node.name in state.open else self.run
            body = joined(replace(body, arrivals=others), follow(node, group, state.seeing(body.scope)))

    def _ready(self, arrivals: Sequence[Arrival], state: State, everything: bool) -> list[Arrival]:
        """The arrivals at the first node that can be done; empty where there is none."""
        for target in dict.fromkeys(arrival.target for arrival in arrivals):
            group = [arrival for arrival in arrivals if arrival.target == target]
            if self._can_run(group, state, everything):
                return group
        return []

    def _can_run(self, arrivals: Sequence[Arrival], state: State, everything: bool) -> bool:
        """Whether a node that waits for items can be done here."""
        node = self.workflow.nodes[arrivals[0].target]
        if node.name in state.open:
            unmarked = not any(arrival.is_marked for arrival in arrivals)
            return node.kind != BATCHES and unmarked and state.depth == state.open[node.name]
        if self.shape.merges(node):
            return everything or self.shape.inputs(node) <= {arrival.input for arrival in arrivals}
        return not state.implicit


def joined(first: Body, second: Body) -> Body:
    """One list after another."""
    return Body([*first.actions, *second.actions], second.scope, [*first.arrivals, *second.arrivals])


def _looped(scope: Scope, given: Output, depth: int) -> Scope:
    """The scope in a loop over a list: whoever gave that list has one item there."""
    if given.many is None:
        return scope
    return {
        name: replace(entry, output=replace(entry.output.looped(depth), many=given.many))
        if entry.output.many == given.many
        else entry
        for name, entry in scope.items()
    }


def _together(arrivals: Sequence[Arrival]) -> Output:
    return _together_entry(arrivals).output


def _together_entry(arrivals: Sequence[Arrival]) -> Entry:
    """The items of several arrivals: of one as they are, of more one list after another."""
    outputs = [arrival.entry.read(arrival.source) for arrival in arrivals]
    if len(outputs) == 1:
        return Entry(outputs[0])
    return Entry(Output(many=" + ".join(f"({output.items})" for output in outputs)))


def _braced(expression: str | None, state: State) -> str:
    return f"{{{{ {as_seen_from(expression or 'true', state.depth)} }}}}"


def _size(size: object, notes: NodeNotes) -> int:
    if isinstance(size, int) and not isinstance(size, bool) and 0 < size <= 1_000_000:
        return size
    notes.add([sentence("the size of its batches is computed there: here it is 10")])
    return 10


def _until(again: Sequence[str]) -> str:
    if not again:
        return "{{ true }}"
    return f"{{{{ {' and '.join(f'steps.{step} is not defined' for step in again)} }}}}"


def _carried(again: Sequence[str]) -> str:
    paths = [f"steps.{step}.again" for step in again]
    return " | default(".join(paths) + " | default(none" + ")" * len(paths)
