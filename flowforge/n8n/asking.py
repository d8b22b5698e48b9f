"""What the file of a node type is given: the node with its parameters, translated as they are asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flowforge.jsonio import JsonObject
from flowforge.n8n.data import Data, Output, as_seen_from
from flowforge.n8n.javascript import CODE_SECONDS, without_double_braces
from flowforge.n8n.model import Node, Workflow
from flowforge.n8n.names import Names, shortened
from flowforge.n8n.values import Values, literal
from flowforge.sentences import sentence

NOBODY = "someone@example.com"
"""A mail address of nobody (RFC 2606)."""


class Left(Exception):
    """The node cannot be mapped; the message says why, and what to do."""


def no_counterpart(operation: str, service: str) -> Left:
    """For an operation that no step of ours does."""
    return Left(
        sentence(
            "the operation '%(operation)s' of %(service)s has no counterpart", operation=operation, service=service
        )
    )


def only_by_request(operation: str, service: str) -> Left:
    """For an operation that the service's API may have, while no step of ours does it."""
    return Left(
        sentence(
            "the operation '%(operation)s' of %(service)s has no counterpart: use an HTTP_REQUEST step",
            operation=operation,
            service=service,
        )
    )


@dataclass(frozen=True, slots=True)
class Way:
    """One way out of a node that decides."""

    output: int
    when: str | None
    """The condition, an expression; None for all that no other way takes."""
    name: str
    given: Output | None = None
    """What flows along it; None for what flows into the node."""


@dataclass(frozen=True, slots=True)
class Fork:
    """A node that decides where an item goes on."""

    ways: Sequence[Way]
    all_that_hold: bool = False
    """Whether an item goes every way whose condition holds, not only the first."""


@dataclass(frozen=True, slots=True)
class Ending:
    """A node after which nothing follows."""


Result = Output | Fork | Ending


@dataclass
class Asked:
    node: Node
    workflow: Workflow
    values: Values
    names: Names
    inputs: Mapping[int, Output] = field(default_factory=dict)
    """Of a node with several inputs: what flows into each."""
    actions: list[JsonObject] = field(default_factory=list)
    connections: list[str] = field(default_factory=list)

    # -- parameters

    @property
    def given(self) -> Output:
        return self.values.place.given

    @property
    def zone(self) -> str:
        return self.values.place.zone

    def raw(self, path: str, default: Any = None) -> Any:
        """A parameter as it is written; `path` leads into objects: `options.limit`."""
        value: Any = self.node.parameters
        for key in path.split("."):
            if not isinstance(value, dict) or key not in value:
                return default
            value = value[key]
        if isinstance(value, dict) and "__rl" in value:
            value = value.get("value")
        return default if value is None else value

    def value(self, path: str, default: Any = None) -> Any:
        return self.values.value(self.raw(path, default))

    def text(self, path: str, default: str = "") -> str:
        """A parameter as a text with expressions; a number or a flag as it is written."""
        return self.text_of(self.raw(path, default))

    def text_of(self, raw: Any) -> str:
        if isinstance(raw, bool):
            return str(raw).lower()
        if isinstance(raw, str):
            return self.values.text(raw)
        if raw is None or isinstance(raw, dict | list):
            return "" if not raw else str(self.values.value(raw))
        return str(raw)

    def choice(self, path: str, default: str) -> str:
        """A parameter that is one of several words. Raises Left where it is computed."""
        raw = self.raw(path, default)
        if not isinstance(raw, str) or raw.startswith("="):
            raise Left(sentence("'%(path)s' is computed: choose it by hand", path=path))
        return raw

    def flag(self, path: str, default: bool = False) -> bool:
        raw = self.raw(path, default)
        if not isinstance(raw, bool):
            raise Left(sentence("'%(path)s' is computed: choose it by hand", path=path))
        return raw

    def number(self, path: str, default: float) -> Any:
        """A number, or a text with an expression that gives one."""
        return self.number_of(self.raw(path, default), default)

    def number_of(self, raw: Any, default: float) -> Any:
        if isinstance(raw, str) and raw.startswith("="):
            return self.values.text(raw)
        try:
            number = float(raw)
        except (TypeError, ValueError):
            return default
        return int(number) if number.is_integer() else number

    def rows(self, path: str) -> list[JsonObject]:
        """The members of a collection of parameters."""
        found = self.raw(path, [])
        return [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []

    def needed(self, written: Any, what: str, placeholder: Any) -> Any:
        """What has to be there; where the file has none, what is to be replaced by hand, which is noted."""
        if written:
            return written
        self.note(sentence("%(what)s is missing in the file: fill it in", what=what))
        return placeholder

    def address(self, text: str) -> str:
        """A mail address, or several; a placeholder where the file has none."""
        usable = text if "@" in text or "{{" in text else ""
        return str(self.needed(usable, sentence("the receiver"), NOBODY))

    # -- expressions of ours

    def bare(self, raw: Any) -> str:
        return self.values.bare(raw)

    def braced(self, expression: str) -> str:
        return f"{{{{ {self.seen(expression)} }}}}"

    def seen(self, expression: str) -> str:
        return as_seen_from(expression, self.values.place.depth)

    @property
    def item(self) -> str:
        """The JSON of the item, as a text with an expression."""
        return self.braced(self.given.item.object)

    @property
    def items(self) -> str:
        """The JSON of all items, as an expression."""
        return self.seen(self.given.items)

    def file(self, name: str) -> str:
        """A binary property of the item, as a text with an expression; none where no node gave such a file."""
        found = self.given.file(name.removeprefix("="))
        if found is None:
            self.note(sentence("it is not known which step gives the file '%(name)s': choose it by hand", name=name))
            return "{{ trigger.file | default(none) }}"
        return self.braced(found)

    # -- what is made

    def note(self, text: str) -> None:
        if text not in self.values.notes:
            self.values.notes.append(text)

    def step(self, type_: str, config: JsonObject, *, name: str | None = None, hint: str = "", **keys: Any) -> str:
        """Adds a step; returns the path of its output."""
        id_ = self.names.new(hint or self.node.name, self.node.name)
        title = shortened(name or self.node.name)
        action = {"id": id_, "name": title, "type": type_, "config": config} | keys
        self.actions.append(action if config else {key: value for key, value in action.items() if key != "config"})
        return f"steps.{id_}"

    def connection(self, title: str, *types: str) -> str:
        """The name of the connection that takes the place of the node's credentials."""
        credentials = self.node.credentials
        found = next((credentials[type_] for type_ in types if type_ in credentials), None)
        name = shortened(found or next(iter(credentials.values()), title))
        if name not in self.connections:
            self.connections.append(name)
        return literal(name)

    def code(self, source: str, given: JsonObject, *, hint: str = "") -> str:
        """Adds a step that computes in JavaScript; returns the path of its result."""
        config = {
            "language": "javascript",
            "input": given,
            "code": without_double_braces(source),
            "seconds": CODE_SECONDS,
        }
        path = self.step("CODE", config, hint=hint)
        return f"{path}.result"


def one(whole: str, **changes: Any) -> Output:
    """One item, whose JSON is a path."""
    return Output(Data(whole, **changes))
