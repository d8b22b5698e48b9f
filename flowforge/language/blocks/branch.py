"""BRANCH: takes the first branch whose condition holds."""

from __future__ import annotations

from flowforge.language.block import Block, NoConfig
from flowforge.language.bodies import Bodies

BLOCK = Block(
    "BRANCH",
    NoConfig,
    title="Branch",
    help="Runs the first branch whose condition matches",
    icon="branch",
    keywords=("if", "switch", "filter", "decide"),
    bodies=Bodies.BRANCHES,
    output={"branch": "the name of the branch that was taken, or null"},
    can_be_pinned=False,
)
