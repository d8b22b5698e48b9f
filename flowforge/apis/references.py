"""References inside a document: JSON pointers (RFC 6901) behind `#`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from flowforge.jsonio import JsonObject

_LONGEST_CHAIN = 50


class BrokenReference(ValueError):
    """A reference leads nowhere; the text says why."""


@dataclass(frozen=True, slots=True, eq=False)
class References:
    """Resolves the references of one document."""

    document: JsonObject
    names_in: str = ""
    """Where names without `#` are looked for (Google Discovery): a pointer that ends in `/`."""

    def follow(self, node: Any) -> Any:
        """The node itself, or what its chain of references ends at; siblings of `$ref` are passed over. Raises
        BrokenReference."""
        for _ in range(_LONGEST_CHAIN):
            if not isinstance(node, dict) or not isinstance(node.get("$ref"), str):
                return node
            node = self.target(node["$ref"])
        raise BrokenReference("its references go in a circle")

    def target(self, reference: str) -> Any:
        """What stands at a reference. Raises BrokenReference."""
        if self.names_in and not reference.startswith("#"):
            reference = f"{self.names_in}{escape(reference)}"
        if not reference.startswith("#"):
            raise BrokenReference(f"{reference[:200]} is another document, which was not fetched")
        node: Any = self.document
        for key in reference[1:].split("/")[1:]:
            node = _step(node, key, reference)
        return node


def escape(key: str) -> str:
    """A key as part of a JSON pointer."""
    return key.replace("~", "~0").replace("/", "~1")


def last_name(reference: str) -> str:
    """The last key of a reference: the name of the schema, as a rule."""
    return _unescape(reference.rpartition("/")[2])


def _unescape(key: str) -> str:
    return unquote(key).replace("~1", "/").replace("~0", "~")


def _step(node: Any, key: str, reference: str) -> Any:
    for name in (_unescape(key), key):
        if isinstance(node, dict) and name in node:
            return node[name]
        if isinstance(node, list) and name.isdecimal() and len(name) < 10 and int(name) < len(node):
            return node[int(name)]
    raise BrokenReference(f"{reference[:200]} is not in the file")
