"""FOR_EACH: runs its actions for every item of a list."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from flowforge.language.block import Block, BlockConfig, InnerRoot, Loop
from flowforge.language.bodies import Bodies
from flowforge.sentences import sentence
from flowforge.summaries import first_of

MAX_AT_ONCE = 100
MAX_ITEMS = 100_000


class ForEachConfig(BlockConfig):
    """`collect` is evaluated for each item, after its last step."""

    literal = frozenset({"onItemError"})
    evaluated_inside = frozenset({"collect"})

    items: list[Any] = Field(title="Items", description="The list to loop over", max_length=MAX_ITEMS)
    concurrency: int = Field(
        1, title="At once", description="How many items are processed in parallel", ge=1, le=MAX_AT_ONCE
    )
    on_item_error: Literal["stop", "continue"] = Field(
        "stop",
        title="When an item fails",
        description="stop: the loop fails, no further items are started; continue: the error becomes the item's result",
    )
    collect: Any = Field(
        None, title="Collect", description="What each item gives; by default the output of the last step in the loop"
    )


BLOCK = Block(
    "FOR_EACH",
    ForEachConfig,
    title="For each",
    help="Runs its steps for every item of a list",
    icon="loop",
    keywords=("loop", "iterate", "repeat"),
    summary=first_of("items"),
    bodies=Bodies.ACTIONS,
    loop=Loop(
        noun=sentence("item"),
        title="For each item",
        roots={
            "item": InnerRoot("This item", sentence("it is the item of a FOR_EACH, inside it")),
            "loop": InnerRoot(
                "The loop",
                sentence("it tells of a FOR_EACH, inside it"),
                is_object=True,
                made_of=frozenset({"loop", "item"}),
            ),
        },
    ),
    output={
        "count": "how many items there were",
        "failed": "how many of them failed",
        "results": "what each item gave, in the order of the items",
    },
)
