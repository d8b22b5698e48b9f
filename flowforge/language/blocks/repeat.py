"""REPEAT: runs its actions again and again, until a condition holds."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, field_validator

from flowforge.fields import field
from flowforge.language.block import Block, BlockConfig, InnerRoot, Loop
from flowforge.language.bodies import Bodies
from flowforge.language.expressions.template import has_meaning
from flowforge.sentences import sentence
from flowforge.summaries import first_of

MAX_ROUNDS = 10_000
LONGEST_DELAY_SECONDS = 366 * 86_400.0


class RepeatConfig(BlockConfig):
    """`until`, `carry` and `collect` are evaluated after each round."""

    literal = frozenset({"onMost"})
    evaluated_inside = frozenset({"until", "carry", "collect"})
    conditions = frozenset({"until"})

    until: str | bool = Field(title="Until", description="Checked after each round; ends the loop")
    most: int = Field(100, title="Maximum rounds", description="Maximum number of rounds", ge=1, le=MAX_ROUNDS)
    delay: float = Field(
        0.0,
        title="Delay between rounds (seconds)",
        description="Wait before each further round",
        ge=0,
        le=LONGEST_DELAY_SECONDS,
        allow_inf_nan=False,
    )
    on_most: Literal["fail", "continue"] = field(
        "fail",
        title="When the condition is never met",
        description="After the maximum number of rounds",
        labels={"fail": "The step fails", "continue": "Continue with the next step"},
    )
    carry: Any = Field(
        None, title="Carry", description="What each round hands on to the next, which sees it as `carry`"
    )
    start: Any = Field(None, title="Carried into the first round", description="What the first round sees as `carry`")
    collect: Any = Field(
        None, title="Collect", description="What each round gives; by default the output of its last step"
    )

    @field_validator("until")
    @classmethod
    def _is_a_condition(cls, until: str | bool) -> str | bool:
        if isinstance(until, str) and not has_meaning(until):
            raise ValueError(sentence("needs an expression, such as {{ steps.ask.body.done }}"))
        return until


BLOCK = Block(
    "REPEAT",
    RepeatConfig,
    title="Repeat",
    help="Repeats its steps until a condition is met",
    icon="repeat",
    keywords=("until", "while", "loop", "poll", "page", "paging", "pagination"),
    summary=first_of("until"),
    bodies=Bodies.ACTIONS,
    loop=Loop(
        noun=sentence("round"),
        title="Each round",
        is_made_for_item=False,
        roots={
            "round": InnerRoot("This round", sentence("it tells of a REPEAT, inside it"), is_object=True),
            "carry": InnerRoot(
                "Carried from the round before", sentence("it is what a round of a REPEAT hands on, inside it")
            ),
        },
    ),
    output={
        "count": "how many rounds there were",
        "done": "whether the condition held in the end",
        "last": "what the last round gave",
        "carry": "what the last round handed on",
        "results": "what each round gave, where `collect` is given",
    },
)
