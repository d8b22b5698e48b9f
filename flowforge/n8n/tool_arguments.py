"""Arguments that a model fills in: `$fromAI('name', 'meaning', 'type')` in the parameters of a tool.

https://docs.n8n.io/advanced-ai/examples/using-the-fromai-function/
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from flowforge.jsonio import JsonObject
from flowforge.n8n.data import Data, Output, quote
from flowforge.n8n.expressions.found import Place

_NODE = "arguments of the model"
"""The name under which the arguments are seen, as if a node gave them."""
_COMMENT = re.compile(r"/\*n8n-auto-generated[^*]*\*/")
_QUOTED = r"(['\"`])((?:\\.|(?!\{0}).)*)\{0}"
_CALL = re.compile(
    r"\$fromAI\(\s*"
    + _QUOTED.format(1)
    + rf"\s*(?:,\s*{_QUOTED.format(3)}\s*)?(?:,\s*{_QUOTED.format(5)}\s*)?(,[^()]*)?\)",
    re.DOTALL | re.IGNORECASE,
)
_TYPES = {"number": "number", "boolean": "boolean", "string": "string"}


@dataclass
class ToolArguments:
    """The arguments of one tool, as they are found in its parameters."""

    properties: JsonObject = field(default_factory=dict)
    required: list[str] = field(default_factory=list)

    @property
    def whole(self) -> str:
        """n8n's expression for all of them."""
        return f"$({quote(_NODE)}).item.json"

    def add(self, name: str, meaning: str = "", type_: str = "string", *, optional: bool = False) -> str:
        """Adds an argument; returns n8n's expression for it."""
        known = _TYPES.get(type_.lower())
        shape: JsonObject = {"type": known} if known else {}
        self.properties.setdefault(name, shape | ({"description": told(meaning)} if meaning.strip() else {}))
        if not optional and name not in self.required:
            self.required.append(name)
        return f"{self.whole}[{quote(name)}]"

    def schema(self) -> JsonObject:
        required = {"required": self.required} if self.required else {}
        return {"type": "object", "properties": self.properties, **required}

    def found_in(self, raw: Any) -> Any:
        """The parameters with the arguments in the place of what the model fills in."""
        if isinstance(raw, dict):
            return {key: self.found_in(member) for key, member in raw.items()}
        if isinstance(raw, list):
            return [self.found_in(member) for member in raw]
        if not isinstance(raw, str) or not raw.startswith("="):
            return raw
        return _CALL.sub(self._argument, _COMMENT.sub("", raw))

    def _argument(self, call: re.Match[str]) -> str:
        return self.add(call[2], call[4] or "", call[6] or "string", optional=call[7] is not None)


@dataclass(frozen=True)
class ToolPlace:
    """The place of a tool: that of its agent, with the arguments of the call."""

    around: Place

    @property
    def zone(self) -> str:
        return self.around.zone

    @property
    def depth(self) -> int:
        return self.around.depth

    @property
    def given(self) -> Output:
        return self.around.given

    @property
    def resumed_by(self) -> str | None:
        return self.around.resumed_by

    def node(self, name: str) -> Output | None:
        return Output(Data("arguments")) if name == _NODE else self.around.node(name)


def told(text: str) -> str:
    """A text as a model is told it: it takes no expression."""
    return re.sub(r"\{(?=[{%#])", "", text.removeprefix("=")).strip()
