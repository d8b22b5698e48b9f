"""FOR_EACH_PAGE: reads a list page by page, and runs its actions for every page before the next one is read."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from flowforge.language.block import Block, BlockConfig, InnerRoot, Loop
from flowforge.language.bodies import Bodies
from flowforge.sentences import sentence

MAX_PAGES = 10_000


class ForEachPageConfig(BlockConfig):
    """`collect` is evaluated for each page, after its last step."""

    evaluated_inside = frozenset({"collect"})

    collect: Any = Field(None, title="Collect", description="What each page gives; by default nothing is kept of them")


BLOCK = Block(
    "FOR_EACH_PAGE",
    ForEachPageConfig,
    title="For each page",
    help="Reads a list page by page, and does its steps for each before it reads the next. Its first step is the call"
    " that reads the list, with paging",
    icon="loop",
    keywords=("loop", "page", "paging", "pagination", "stream", "large list", "cursor"),
    bodies=Bodies.ACTIONS,
    loop=Loop(
        noun=sentence("page"),
        title="For each page",
        is_made_for_item=False,
        reads_pages=True,
        roots={"page": InnerRoot("This page", sentence("it tells of a FOR_EACH_PAGE, inside it"), is_object=True)},
    ),
    output={
        "count": "how many pages there were",
        "complete": "whether the list was read to its end",
        "results": "what each page gave, where `collect` is given",
    },
)
