"""Calls of tools: what an answer says of them, and how those of the rounds before are told again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from flowforge.apis.checking import find_problems
from flowforge.apis.fitting import fit
from flowforge.apis.references import References
from flowforge.apis.schemas.reader import read_schema
from flowforge.connectors.agent_turn import AgentTurn, Tool
from flowforge.connectors.llm.asking import told, whole
from flowforge.connectors.llm.conversation import Answer, Conversation, Message, ToolCall, ToolResult
from flowforge.jsonio import JsonObject


def continued(conversation: Conversation, turn: AgentTurn) -> Conversation:
    """The conversation with the tools of the turn, and what was said in the rounds before. Raises ConnectorError."""
    return replace(conversation, tools=turn.tools, messages=[*conversation.messages, *_messages_before(turn)])


def _messages_before(turn: AgentTurn) -> Iterator[Message]:
    """The calls of each round, followed by their results."""
    for exchange in turn.before():
        calls = [_call(given) for given in exchange["calls"]]
        yield Message("assistant", exchange.get("text") or "", calls=calls)
        pairs = zip(calls, exchange["results"], strict=True)
        results = [ToolResult(call, result["content"], bool(result.get("failed"))) for call, result in pairs]
        yield Message("user", "", results=results)


def described(answer: Answer, tools: Sequence[Tool]) -> list[JsonObject]:
    """The calls of an answer as an output has them: their arguments fitted to the parameters, and a `problem` for those
    that cannot be carried out. Raises ConnectorError where they are cut off."""
    by_name = {tool.name: tool for tool in tools}
    calls = whole(answer).calls if answer.calls else ()
    return [_described(call, by_name.get(call.name), sorted(by_name)) for call in calls]


def _described(call: ToolCall, tool: Tool | None, names: Sequence[str]) -> JsonObject:
    written = {"id": call.id, "name": call.name, "arguments": call.arguments or {}}
    written |= {"signature": call.signature} if call.signature else {}
    if tool is None:
        return {**written, "problem": f"there is no tool '{call.name}'; there are {', '.join(names) or 'none'}"}
    if call.arguments is None:
        return {**written, "problem": "the arguments are not a JSON object"}
    schema = read_schema(References(tool.parameters), tool.parameters, "input")
    problems = find_problems(schema, call.arguments)
    if problems:
        return {**written, "problem": f"the arguments do not fit: {told(problems)}"}
    return {**written, "arguments": fit(schema, call.arguments)}


def _call(given: JsonObject) -> ToolCall:
    return ToolCall(str(given.get("id", "")), given["name"], given.get("arguments") or {}, given.get("signature"))
