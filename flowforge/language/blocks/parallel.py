"""PARALLEL: runs all its branches side by side."""

from __future__ import annotations

from flowforge.language.block import Block, NoConfig
from flowforge.language.bodies import Bodies

BLOCK = Block(
    "PARALLEL",
    NoConfig,
    title="Parallel",
    help="Runs several branches at once and waits for all of them",
    icon="parallel",
    keywords=("split", "fork"),
    bodies=Bodies.LANES,
    output={"branches": "what the last step of each branch gave, by the name of the branch"},
    can_be_pinned=False,
)
