"""Names of steps: ids that expressions can use, made of the names of nodes."""

from __future__ import annotations

import re
import unicodedata

LONGEST_ID = 64
LONGEST_NAME = 255


def shortened(name: str) -> str:
    """A name that a step or a connection can have."""
    return " ".join(name.replace("\x00", "").split())[:LONGEST_NAME] or "unnamed"


class Names:
    """The ids that are taken."""

    def __init__(self) -> None:
        self._taken: set[str] = set()
        self.nodes: dict[str, str] = {}
        """The nodes that steps were made for, by the ids of the steps."""

    def new(self, name: str, node: str = "") -> str:
        """An id that is free. `node`: the node that the step is made for."""
        base = slug(name)
        id_, number = base, 1
        while id_ in self._taken:
            number += 1
            id_ = f"{base[: LONGEST_ID - 8]}_{number}"
        self._taken.add(id_)
        self.nodes[id_] = node
        return id_


def slug(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    words = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")[: LONGEST_ID - 16].strip("_")
    if not words or words[0].isdigit() or re.fullmatch(r"step_\d+", words):
        return f"node_{words}".strip("_")
    return words


def key_of(id_: str) -> str:
    """The key of a workflow that has this id in n8n."""
    return f"n8n-{re.sub(r'[^a-z0-9]+', '-', id_.lower()).strip('-')[:50]}".rstrip("-")
