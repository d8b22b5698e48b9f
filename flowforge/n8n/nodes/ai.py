"""Language models: chains, agents, and the nodes that ask a model for something."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from flowforge import jsonio
from flowforge.jsonio import JsonObject
from flowforge.language.blocks.agent import MAX_ROUNDS
from flowforge.n8n.asking import Asked, Fork, Left, Result, Way, one, only_by_request
from flowforge.n8n.data import Data, Output, quote
from flowforge.n8n.media import by_gemini, read_by_mistral
from flowforge.n8n.model import Node
from flowforge.n8n.nodes import node
from flowforge.n8n.tools import as_tools
from flowforge.n8n.values import literal, literal_value
from flowforge.sentences import sentence


@dataclass(frozen=True, slots=True)
class _Model:
    title: str
    api: str = "openai"
    endpoint: str = ""
    usual: str = ""
    note: str = ""


_MODELS: Mapping[str, _Model] = {
    "lmChatOpenAi": _Model("OpenAI", usual="gpt-4o-mini"),
    "lmOpenAi": _Model("OpenAI", usual="gpt-4o-mini"),
    "lmChatAnthropic": _Model("Anthropic", "anthropic", usual="claude-3-5-sonnet-20241022"),
    "lmChatGoogleGemini": _Model("Google Gemini", "gemini", usual="gemini-2.0-flash"),
    "lmChatGoogleVertex": _Model(
        "Google Gemini", "gemini", usual="gemini-2.0-flash", note=sentence("Vertex became the Gemini API")
    ),
    "lmChatOpenRouter": _Model("OpenRouter", endpoint="https://openrouter.ai/api/v1", usual="openai/gpt-4.1-mini"),
    "lmChatGroq": _Model("Groq", endpoint="https://api.groq.com/openai/v1", usual="llama-3.1-8b-instant"),
    "lmChatDeepSeek": _Model("DeepSeek", endpoint="https://api.deepseek.com/v1", usual="deepseek-chat"),
    "lmChatMistralCloud": _Model("Mistral", endpoint="https://api.mistral.ai/v1", usual="mistral-small-latest"),
    "lmChatXAiGrok": _Model("xAI", endpoint="https://api.x.ai/v1", usual="grok-2-latest"),
    "lmChatOllama": _Model("Ollama", endpoint="http://localhost:11434/v1", usual="llama3.2"),
    "lmOllama": _Model("Ollama", endpoint="http://localhost:11434/v1", usual="llama3.2"),
    "lmChatAzureOpenAi": _Model(
        "Azure OpenAI",
        endpoint="https://RESOURCE.openai.azure.com/openai/v1",
        usual="gpt-4o",
        note=sentence("fill in the Azure resource"),
    ),
    "lmChatCohere": _Model("Cohere", endpoint="https://api.cohere.ai/compatibility/v1", usual="command-r-plus"),
    "lmOpenHuggingFaceInference": _Model(
        "Hugging Face", endpoint="https://router.huggingface.co/v1", usual="openai/gpt-oss-20b"
    ),
    "lmChatVercelAiGateway": _Model(
        "Vercel AI Gateway", endpoint="https://ai-gateway.vercel.sh/v1", usual="openai/gpt-4o"
    ),
    "lmChatAwsBedrock": _Model(
        "AWS Bedrock",
        endpoint="https://bedrock-runtime.us-east-1.amazonaws.com/openai/v1",
        note=sentence("fill in the AWS region"),
    ),
}
_HARMLESS_TOOLS = frozenset({"toolThink", "toolCalculator"})
_USUAL_ROUNDS = 10


def _model(asked: Asked) -> JsonObject:
    """The part of the config that says which model is asked. Raises Left where none is linked."""
    parts = asked.workflow.parts_of(asked.node.name, "ai_languageModel")
    known = next((part for part in parts if part.kind in _MODELS), None)
    if known is None:
        if parts:
            raise Left(
                sentence(
                    "there is no counterpart of the model %(type)s: use an LLM step with its endpoint",
                    type=parts[0].type,
                )
            )
        raise Left(sentence("no language model is linked to it"))
    if len(parts) > 1:
        asked.note(sentence("there is no other model in reserve"))
    return _asking(asked, known, _MODELS[known.kind])


def _asking(asked: Asked, part: Node, model: _Model) -> JsonObject:
    if model.note:
        asked.note(model.note)
    inner = Asked(part, asked.workflow, asked.values, asked.names)
    name = inner.text("model") or inner.text("modelName") or inner.text("modelId") or model.usual or "choose-a-model"
    config: JsonObject = {"model": name.removeprefix("models/"), "connection": inner.connection(model.title)}
    asked.connections += [each for each in inner.connections if each not in asked.connections]
    config |= {"api": model.api} if model.api != "openai" else {}
    endpoint = inner.text("options.baseURL") or model.endpoint
    config |= {"endpoint": endpoint} if endpoint else {}
    return config | _options(inner)


def _options(inner: Asked) -> JsonObject:
    options: JsonObject = {}
    temperature = inner.number("options.temperature", -1)
    if isinstance(temperature, str) or 0 <= temperature <= 2:
        options["temperature"] = temperature
    most = inner.raw("options.maxTokens", inner.raw("options.maxTokensToSample", inner.raw("options.maxOutputTokens")))
    options["maxTokens"] = most if isinstance(most, int) and 0 < most <= 1_000_000 else 8_192
    return options


# -- what is asked for


def _schema(asked: Asked) -> JsonObject | None:
    """The JSON Schema of a parser that is linked; None where there is none."""
    parts = [*asked.workflow.parts_of(asked.node.name, "ai_outputParser")]
    while parts:
        part = parts.pop(0)
        if part.kind == "outputParserStructured":
            return _schema_of(asked, part.parameters)
        if part.kind == "outputParserItemList":
            return {"type": "object", "properties": {"items": {"type": "array", "items": {"type": "string"}}}}
        parts += asked.workflow.parts_of(part.name, "ai_outputParser")
    return None


def _schema_of(asked: Asked, parameters: JsonObject) -> JsonObject:
    written = parameters.get("inputSchema") or parameters.get("jsonSchema")
    example = parameters.get("jsonSchemaExample")
    manual = parameters.get("schemaType", "manual" if written and not example else "fromJson") == "manual"
    chosen = written if manual and written else example if example else written
    try:
        decoded = jsonio.loads(str(chosen or "{}").removeprefix("="))
    except ValueError as error:
        raise Left(sentence("the form of the answer is computed, or no JSON: write the schema by hand")) from error
    found = decoded if manual and chosen is written else schema_like(decoded)
    if not isinstance(found, dict) or not found:
        found = {"type": "object"}
        asked.note(sentence("the form of the answer is missing in the file: fill in the schema"))
    return _plain_schema(found)


def _plain_schema(schema: JsonObject) -> JsonObject:
    kept: JsonObject = {key: value for key, value in schema.items() if not key.startswith("$") and key != "definitions"}
    return kept if "type" in kept or "properties" in kept else {"type": "object", **kept}


def schema_like(example: Any) -> JsonObject:
    """The JSON Schema of values such as the example."""
    if isinstance(example, dict):
        properties = {key: schema_like(value) for key, value in example.items()}
        return {"type": "object", "properties": properties, "required": list(properties)}
    if isinstance(example, list):
        return {"type": "array", "items": schema_like(example[0]) if example else {}}
    if isinstance(example, bool):
        return {"type": "boolean"}
    if isinstance(example, int | float):
        return {"type": "number"}
    return {"type": "string"} if isinstance(example, str) else {}


def _ask(asked: Asked, model: JsonObject, prompt: str, system: str, schema: JsonObject | None, **more: Any) -> str:
    """An LLM step; returns the path of its output."""
    prompt = str(asked.needed(prompt.strip() and prompt, sentence("the prompt"), "…"))
    config = model | {"prompt": prompt} | ({"system": system} if system.strip() else {}) | more
    if schema is not None:
        config |= {"output": "json", "schema": literal_value(schema)}
    return asked.step("LLM", config)


def _answer(path: str, schema: JsonObject | None, *names: str) -> Output:
    """The answer under the names that n8n has for it."""
    text = f"{path}.json" if schema is not None else f"{path}.text"
    fields = dict.fromkeys(names or ("output", "text", "response"), text)
    return Output(Data(path, fields))


def _prompt(asked: Asked, usual: str) -> str:
    if asked.raw("promptType", "auto") in ("auto", "guardrails") and not asked.raw("text"):
        path = asked.given.item.field(usual)
        return asked.braced(f"{path} | default('')")
    return asked.text("text") or asked.text("prompt")


@node("chainLlm")
def chain(asked: Asked) -> Result:
    schema, model = _schema(asked), _model(asked)
    messages = asked.rows("messages.messageValues")
    system = "\n\n".join(
        asked.text_of(row.get("message", ""))
        for row in messages
        if row.get("type", "SystemMessagePromptTemplate").startswith("System")
    )
    others = [row for row in messages if not str(row.get("type", "System")).startswith("System")]
    prompt = _prompt(asked, "chatInput")
    files: JsonObject = {}
    for row in others:
        if row.get("messageType") == "imageBinary":
            files = {"files": [asked.file(str(row.get("binaryImageDataKey", "data")))]}
        else:
            prompt = f"{prompt}\n\n{asked.text_of(row.get('message', ''))}"
    return _answer(_ask(asked, model, prompt, system, schema, **files), schema)


@node("agent")
def agent(asked: Asked) -> Result:
    if asked.workflow.parts_of(asked.node.name, "ai_memory"):
        asked.note(sentence("it does not remember earlier messages: keep them in a table, and give them as history"))
    schema, model = _schema(asked), _model(asked)
    prompt, system = _prompt(asked, "chatInput"), asked.text("options.systemMessage")
    path = _with_tools(asked, lambda asking: _ask(asking, model, prompt, system, schema))
    return _answer(path, schema, "output", "text")


def _with_tools(asked: Asked, ask: Callable[[Asked], str]) -> str:
    """The step that asks the model, in an AGENT where tools are linked to the node; returns the path of its output."""
    linked = asked.workflow.parts_of(asked.node.name, "ai_tool")
    tools = [tool for tool in linked if tool.kind not in _HARMLESS_TOOLS]
    if len(tools) < len(linked):
        asked.note(sentence("the model has no tool to calculate or to think with"))
    if not tools:
        return ask(asked)
    asking = replace(asked, actions=[])
    ask(asking)
    return asked.step("AGENT", {"maxRounds": _rounds(asked)}, actions=[*asking.actions, *as_tools(asked, tools)])


def _rounds(asked: Asked) -> int:
    written = asked.raw("options.maxIterations")
    return min(max(written, 1), MAX_ROUNDS) if isinstance(written, int) else _USUAL_ROUNDS


@node("informationExtractor")
def extract(asked: Asked) -> Result:
    kind = asked.raw("schemaType", "fromAttributes")
    if kind == "fromAttributes":
        rows = asked.rows("attributes.attributes")
        properties = {str(row.get("name", "")): _attribute(row) for row in rows if row.get("name")}
        required = [str(row["name"]) for row in rows if row.get("required") is True and row.get("name")]
        schema: JsonObject = {"type": "object", "properties": properties} | ({"required": required} if required else {})
    else:
        schema = _schema_of(asked, asked.node.parameters | {"schemaType": "manual" if kind == "manual" else "fromJson"})
    system = (
        asked.text("options.systemPromptTemplate") or "Extract the information that the schema names from the text."
    )
    path = _ask(asked, _model(asked), asked.text("text"), system, schema)
    return _answer(path, schema, "output")


def _attribute(row: JsonObject) -> JsonObject:
    type_ = {"number": "number", "boolean": "boolean", "date": "string"}.get(str(row.get("type", "string")), "string")
    return {"type": type_, "description": str(row.get("description", "")).removeprefix("=")}


@node("textClassifier")
def classify(asked: Asked) -> Result:
    rows = asked.rows("categories.categories")
    names = [str(row.get("category") or "").strip().removeprefix("=") or str(number) for number, row in enumerate(rows)]
    meanings = [f"{name}: {row.get('description') or ''}" for name, row in zip(names, rows, strict=True)]
    if not names:
        outputs = {link.output for link in asked.workflow.links_from(asked.node.name)} or {0}
        names = asked.needed(
            [], sentence("its categories"), [f"category {number + 1}" for number in range(max(outputs) + 1)]
        )
    fallback = asked.raw("options.fallback") == "other"
    if asked.raw("options.multiClass") is True:
        asked.note(sentence("a text gets one category, not several"))
    return _sorted_by(asked, "inputText", names, meanings, len(names) if fallback else None)


@node("sentimentAnalysis")
def sentiment(asked: Asked) -> Result:
    names = [name.strip() for name in str(asked.raw("options.categories", "Positive, Neutral, Negative")).split(",")]
    return _sorted_by(asked, "inputText", [name for name in names if name], [], None)


def _sorted_by(asked: Asked, text: str, names: list[str], meanings: list[str], other: int | None) -> Fork:
    """Asks for one of the names, and goes its way."""
    choices = [*names, "other"] if other is not None else names
    schema = {
        "type": "object",
        "properties": {"category": {"type": "string", "enum": choices}},
        "required": ["category"],
    }
    system = "\n".join(["Choose the category that fits the text best.", *map(literal, meanings)])
    path = _ask(asked, _model(asked), asked.text(text), system, schema)
    ways = [Way(number, f"{path}.json.category == {quote(name)}", name) for number, name in enumerate(names)]
    return Fork([*ways, *([Way(other, None, "other")] if other is not None else [])])


@node("chainSummarization")
def summarize(asked: Asked) -> Result:
    if asked.raw("operationMode", "nodeInputJson") == "documentLoader":
        raise Left(sentence("it reads documents in parts: use an LLM step"))
    prompt = f"Write a concise summary of the following:\n\n{asked.braced(f'{asked.given.item.object} | tojson')}"
    asked.note(sentence("the whole text is summed up at once"))
    path = _ask(asked, _model(asked), prompt, "", None)
    return _answer(path, None, "response", "output", "text")


# -- models as nodes


@node("openAi", "lmStudio")
def open_ai(asked: Asked) -> Result:
    if asked.node.type.startswith("n8n-nodes-base."):
        return _old_open_ai(asked)
    resource = asked.choice("resource", "text")
    usual = {"text": "response" if asked.node.version >= 2 else "message", "image": "generate", "audio": "generate"}
    operation = asked.choice("operation", usual.get(resource, "message"))
    base = _openai(asked)
    if resource == "text" and operation in ("message", "response"):
        return _message(asked, base)
    if (resource, operation) == ("image", "generate"):
        return _picture(asked)
    if (resource, operation) == ("image", "analyze"):
        return _look(asked, base)
    if (resource, operation) in (("audio", "transcribe"), ("audio", "translate")):
        return _hear(asked, operation)
    if (resource, operation) == ("audio", "generate"):
        return _speak(asked)
    if (resource, operation) == ("text", "classify"):
        body = {"input": asked.text("input"), "model": "omni-moderation-latest"}
        return one(f"{_call_openai(asked, '/moderations', {'body': body})}.body.results[0]")
    raise only_by_request(operation, resource)


def _openai(asked: Asked) -> JsonObject:
    name = asked.text("modelId") or asked.text("model") or "gpt-4o-mini"
    return {"model": name, "connection": asked.connection("OpenAI")} | _options(asked)


def _call_openai(asked: Asked, address: str, config: JsonObject) -> str:
    call = {"url": f"https://api.openai.com/v1{address}", "method": "POST", "connection": asked.connection("OpenAI")}
    return asked.step("HTTP_REQUEST", call | config)


def _message(asked: Asked, base: JsonObject) -> Output:
    rows = asked.rows("messages.values") or asked.rows("responses.values")
    system, prompt, history = _conversation(asked, rows)
    schema: JsonObject | None = None
    if asked.raw("jsonOutput") is True or asked.raw("options.textFormat.textOptions.type") in (
        "json_object",
        "json_schema",
    ):
        schema = {"type": "object"}
    before = {"history": history} if history else {}
    path = _with_tools(asked, lambda asking: _ask(asking, base, prompt, system, schema, **before))
    content = f"{path}.json" if schema else f"{path}.text"
    shown = asked.step(
        "TRANSFORM",
        {
            "output": {
                "message": {"role": "assistant", "content": f"{{{{ {content} }}}}"},
                "output": [{"content": [{"text": f"{{{{ {content} }}}}"}]}],
            }
        },
        hint=f"answer {asked.node.name}",
    )
    return Output(Data(shown, {"text": f"{shown}.message.content", "content": f"{shown}.message.content"}))


def _conversation(asked: Asked, rows: list[JsonObject]) -> tuple[str, str, list[JsonObject]]:
    """Instructions, the last message, and those before it."""
    texts = [(str(row.get("role", "user")), asked.text_of(row.get("content", ""))) for row in rows]
    system = "\n\n".join(text for role, text in texts if role in ("system", "developer"))
    others = [(role, text) for role, text in texts if role not in ("system", "developer") and text.strip()]
    if not others:
        return "", system, []
    history = [
        {"role": "assistant" if role in ("assistant", "model") else "user", "text": text} for role, text in others[:-1]
    ]
    return system, others[-1][1], history


def _picture(asked: Asked) -> Output:
    body = {"model": asked.text("model") or "dall-e-3", "prompt": asked.text("prompt"), "n": 1}
    body |= {"size": asked.text("options.size")} if asked.raw("options.size") else {}
    body |= {} if str(body["model"]).startswith("gpt-image") else {"response_format": "b64_json"}
    path = f"{_call_openai(asked, '/images/generations', {'body': body})}.body"
    file = f"({{'base64': {path}.data[0].b64_json}} | to_file('image.png', 'image/png'))"
    return Output(Data(f"{path}.data[0]"), any_file=file)


def _look(asked: Asked, base: JsonObject) -> Output:
    prompt = asked.text("text") or "What's in this image?"
    if asked.raw("inputType", "url") == "base64":
        files = [asked.file(str(asked.raw("binaryPropertyName", "data")).split(",")[0])]
        path = _ask(asked, base, prompt, "", None, files=files)
        return _answer(path, None, "content", "text", "output")
    content = [{"type": "text", "text": prompt}, {"type": "image_url", "image_url": {"url": asked.text("imageUrls")}}]
    body = {"model": base["model"], "messages": [{"role": "user", "content": content}]}
    path = f"{_call_openai(asked, '/chat/completions', {'body': body})}.body.choices[0].message"
    return one(path)


def _hear(asked: Asked, operation: str) -> Output:
    file = asked.file(str(asked.raw("binaryPropertyName", "data")))
    address = "/audio/transcriptions" if operation == "transcribe" else "/audio/translations"
    return one(f"{_call_openai(asked, address, {'form': {'model': 'whisper-1'}, 'files': {'file': file}})}.body")


def _speak(asked: Asked) -> Output:
    body = {
        "model": asked.text("model") or "tts-1",
        "input": asked.text("input"),
        "voice": asked.text("voice") or "alloy",
    }
    path = f"{_call_openai(asked, '/audio/speech', {'body': body, 'response': 'file'})}.body"
    return Output(asked.given.item, any_file=path)


def _old_open_ai(asked: Asked) -> Result:
    """The node of the base package, before there was one for language models."""
    resource = asked.choice("resource", "text")
    operation = asked.choice("operation", {"chat": "complete", "image": "create"}.get(resource, "complete"))
    model = asked.text("chatModel") or asked.text("model") or "gpt-3.5-turbo"
    base = {"model": model, "connection": asked.connection("OpenAI")} | _options(asked)
    if resource == "chat":
        system, prompt, history = _conversation(asked, asked.rows("prompt.messages") or asked.rows("messages.messages"))
        path = _ask(asked, base, prompt, system, None, **({"history": history} if history else {}))
        shown = asked.step(
            "TRANSFORM",
            {"output": {"message": {"role": "assistant", "content": f"{{{{ {path}.text }}}}"}}},
            hint="answer",
        )
        return one(shown)
    if resource == "text" and operation == "complete":
        base["model"] = "gpt-3.5-turbo" if "davinci" in model else model
        return _answer(_ask(asked, base, asked.text("prompt"), "", None), None, "text")
    if resource == "image":
        return _picture(asked)
    raise only_by_request(operation, resource)


@node("googleGemini", "anthropic", "mistralAi", "ollama")
def other_models(asked: Asked) -> Result:
    kind = {"googleGemini": "lmChatGoogleGemini", "anthropic": "lmChatAnthropic", "ollama": "lmChatOllama"}
    model = _MODELS[kind.get(asked.node.kind, "lmChatMistralCloud")]
    resource = asked.choice("resource", "document" if asked.node.kind == "mistralAi" else "text")
    if resource == "text":
        return _message(asked, _asking(asked, asked.node, model))
    if asked.node.kind == "googleGemini":
        return by_gemini(asked, resource)
    if asked.node.kind == "mistralAi":
        return read_by_mistral(asked)
    operation, base = asked.choice("operation", "analyze"), _asking(asked, asked.node, model)
    binary = asked.raw("inputType", "url") == "binary"
    if operation in ("analyze", "transcribe") and binary and resource in ("image", "document"):
        files = [asked.file(str(asked.raw("binaryPropertyName", "data")))]
        return _answer(
            _ask(asked, base, asked.text("text") or "Describe it.", "", None, files=files),
            None,
            "content",
            "text",
            "output",
        )
    raise only_by_request(operation, resource)
