"""LLM: ask a language model, of any provider or on a machine of one's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, WithJsonSchema, model_validator

from flowforge.connectors.agent_turn import AgentTurn
from flowforge.connectors.llm.asking import Provider, ask_for_json
from flowforge.connectors.llm.calls import continued, described
from flowforge.connectors.llm.conversation import Answer, Conversation, Message, Role, Usage, attach
from flowforge.connectors.llm.dialects import dialects
from flowforge.connectors.sdk import ConnectorConfig, ConnectorError, Files, StepContext, connector, field, first_of
from flowforge.jsonio import JsonObject
from flowforge.sentences import sentence

_MOST_FILE_BYTES = 20 * 1024 * 1024
_PRICED = 1_000_000


def _require_dialect(name: str) -> str:
    if name not in dialects():
        raise ValueError(sentence("must be one of %(choices)s", choices=", ".join(dialects())))
    return name


Api = Annotated[str, AfterValidator(_require_dialect), WithJsonSchema({"type": "string", "enum": [*dialects()]})]


class Turn(ConnectorConfig):
    role: Role
    text: str = field(title="Text", min_length=1)


class Config(ConnectorConfig):
    api: Api = field(
        "openai",
        title="API",
        description="Mistral, Groq, OpenRouter, Ollama, vLLM and others understand openai: give their address under"
        " Endpoint.",
    )
    model: str = field(title="Model", description="The name that its provider gives it.", min_length=1)
    system: str = field(
        "",
        multiline=True,
        title="Instructions",
        description="Role of the model and rules it must follow (system prompt).",
    )
    prompt: str = field(multiline=True, title="Prompt", min_length=1)
    files: Files = field(
        default_factory=list,
        title="Files",
        description="Pictures, PDF, or text: a file, or a list of files.",
        group="Files and history",
    )
    history: list[Turn] = field(
        default_factory=list,
        title="History",
        description='Earlier messages of the conversation: [{"role": "user", "text": "…"}, {"role": "assistant", …}].',
        group="Files and history",
    )
    output: Literal["text", "json"] = field(
        "text", title="Answer", description="json: after the schema.", group="Answer format"
    )
    schema_: JsonObject = field(
        default_factory=dict,
        alias="schema",
        title="JSON Schema",
        description="Of the answer. One that is not valid is given back to the model once, with what is wrong.",
        group="Answer format",
    )
    max_tokens: int = field(
        2048,
        title="Maximum tokens",
        description="Of the answer, and of what is thought before.",
        ge=1,
        le=1_000_000,
        group="Options",
    )
    temperature: float | None = field(
        None,
        title="Temperature",
        description="0: always the likeliest word. Empty: the model's own.",
        ge=0,
        le=2,
        group="Options",
    )
    endpoint: str = field(
        "",
        title="Endpoint",
        description="The address of an API that is compatible: http://localhost:11434/v1. Empty: the provider's own.",
        group="Options",
    )
    input_price: Decimal | None = field(
        None,
        title="Price of input",
        description="Of a million tokens, for the cost in the output.",
        group="Options",
        ge=0,
    )
    output_price: Decimal | None = field(
        None, title="Price of output", description="Of a million tokens.", group="Options", ge=0
    )

    @model_validator(mode="after")
    def _says_what_is_wanted(self) -> Config:
        if self.output == "json" and not self.schema_:
            raise ValueError(sentence("schema is required for an answer in JSON"))
        if self.temperature is not None and not dialects()[self.api].takes_temperature:
            raise ValueError(sentence("temperature: %(title)s takes none", title=dialects()[self.api].title))
        return self


async def _ask_for_models(config: Mapping[str, Any], context: StepContext) -> Sequence[str]:
    api, endpoint = str(config.get("api") or "openai"), str(config.get("endpoint") or "")
    return await _provider(_require_dialect(api), endpoint, context).models()


@connector(
    "LLM",
    Config,
    title="Language model",
    help="Asks a language model to write, sum up, classify, or find data in text and pictures.",
    icon="message",
    keywords=("ai", "gpt", "chatgpt", "openai", "claude", "anthropic", "gemini", "ollama", "summarise", "classify"),
    summary=first_of("prompt", "model"),
    repeatable=True,  # it changes nothing anywhere
    any_signer=True,
    asks={"model": _ask_for_models},
)
async def llm(config: Config, context: StepContext) -> JsonObject:
    provider = _provider(config.api, config.endpoint, context)
    conversation = await context.in_thread(partial(_conversation, config, context))
    if config.output == "text":
        answer = await provider.ask(conversation)
        return await context.in_thread(partial(_output, config, answer, context.turn), computes=True)
    structured = await ask_for_json(provider, conversation, config.schema_)
    output = await context.in_thread(partial(_output, config, structured.answer, context.turn), computes=True)
    return output if structured.answer.calls else {**output, "json": structured.value}


def _provider(api: str, endpoint: str, context: StepContext) -> Provider:
    dialect = dialects()[api]
    return Provider(dialect, (endpoint or dialect.address).rstrip("/"), context)


def _conversation(config: Config, context: StepContext) -> Conversation:
    """Raises ConnectorError for files that cannot be sent along."""
    texts, attachments = attach([context.files.content(file) for file in config.files], _MOST_FILE_BYTES)
    before = [Message(turn.role, turn.text) for turn in config.history]
    asked = Message("user", texts + config.prompt, attachments)
    conversation = Conversation(config.model, config.system, [*before, asked], config.max_tokens, config.temperature)
    return conversation if context.turn is None else continued(conversation, context.turn)


def _output(config: Config, answer: Answer, turn: AgentTurn | None) -> JsonObject:
    """Within an agent also what the model calls. Raises ConnectorError where it says nothing."""
    calls = {} if turn is None else {"calls": described(answer, turn.tools)}
    if not answer.text and answer.stop != "end":
        reason = "it refuses" if answer.stop == "refused" else "all tokens went into what it thought (maxTokens)"
        raise ConnectorError(f"the model has not answered: {reason}", permanent=True, answered=True)
    usage = answer.usage
    return {
        "text": answer.text,
        "model": answer.model or config.model,
        "stopReason": answer.stop,
        "usage": {"inputTokens": usage.input, "outputTokens": usage.output, **_cost(config, usage)},
        **calls,
    }


def _cost(config: Config, usage: Usage) -> dict[str, Any]:
    """In the currency of the prices; nothing where there are none."""
    if config.input_price is None and config.output_price is None:
        return {}
    total = (config.input_price or 0) * usage.input + (config.output_price or 0) * usage.output
    return {"cost": float(Decimal(total) / _PRICED)}
