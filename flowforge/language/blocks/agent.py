"""AGENT: lets a language model call tools, round after round, until it has an answer."""

from __future__ import annotations

from pydantic import Field

from flowforge.language.block import Block, BlockConfig, InnerRoot, Loop
from flowforge.language.bodies import Bodies
from flowforge.sentences import sentence

MAX_ROUNDS = 50


class AgentConfig(BlockConfig):
    """The model, its instructions and its prompt are in the config of the first action, which asks it."""

    max_rounds: int = Field(
        10, title="Maximum rounds", description="How often the model may be asked", ge=1, le=MAX_ROUNDS
    )


BLOCK = Block(
    "AGENT",
    AgentConfig,
    title="Agent",
    help="Lets a language model call tools until it has an answer. Its first step asks the model; each Tool behind it"
    " is one that the model may call",
    icon="message",
    keywords=("ai", "assistant", "tools", "function calling", "llm", "gpt", "claude", "gemini"),
    bodies=Bodies.ACTIONS,
    begins_with="LLM",
    loop=Loop(
        noun=sentence("round"),
        title="Each round",
        is_made_for_item=False,
        offers_tools=True,
        roots={"agent": InnerRoot("The agent", sentence("it tells of an AGENT, inside it"), is_object=True)},
    ),
    output={
        "text": "the answer of the model",
        "json": "the answer as data, where its first step asks for JSON",
        "rounds": "how often the model was asked",
        "calls": "the calls of tools, each with its `name` and `arguments`",
        "usage": "the tokens of all rounds, and their cost where prices are given",
    },
)
