"""Asking a model, and holding its answer to a JSON Schema."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar

from flowforge import jsonio
from flowforge.apis.checking import find_problems
from flowforge.apis.fitting import fit
from flowforge.apis.references import References
from flowforge.apis.schemas.reader import read_schema
from flowforge.connectors.context import StepContext
from flowforge.connectors.draft import Draft
from flowforge.connectors.errors import ConnectorError
from flowforge.connectors.http_client.event_stream import EventStream
from flowforge.connectors.http_client.response import Response
from flowforge.connectors.llm.conversation import Answer, Conversation, Message, StopReason
from flowforge.connectors.llm.dialect import Dialect
from flowforge.connectors.llm.streaming import StreamedAnswer, refuses_to_stream
from flowforge.errors import Problem
from flowforge.jsonio import JsonObject
from flowforge.sentences import sentence

T = TypeVar("T")
_FENCED = re.compile(r"\A\s*```\w*\n(.*)\n```\s*\Z", re.DOTALL)
_MOST_TOLD = 10
_INSTRUCTION = "Answer with one JSON value and nothing else. It is valid against this JSON Schema:\n"
_INSTRUCTION_BESIDE_TOOLS = f"Call tools as long as you need them. Then: {_INSTRUCTION}"
_CUT = "the answer is cut off at the limit of tokens (maxTokens)"
_REFUSED = "the model refuses to answer"


@dataclass(frozen=True, slots=True)
class Provider:
    """A model's provider as a step reaches it. `address`: without a slash at the end."""

    dialect: Dialect
    address: str
    context: StepContext

    async def ask(self, conversation: Conversation) -> Answer:
        """Raises ConnectorError."""
        try:
            body = await self._ask(conversation)
            return await self.compute(partial(self.dialect.answer, body))
        except (LookupError, TypeError, AttributeError) as error:
            raise self._no_such_answer() from error

    async def _ask(self, conversation: Conversation) -> JsonObject:
        """The body of the answer; it is streamed where somebody may watch. Raises like `answer` of the dialect."""
        path = self.dialect.path(conversation.model)
        body = await self.compute(partial(self.dialect.body, conversation))
        begin_draft = self.context.begin_draft
        streamed = None if begin_draft is None else await self._ask_for_stream(conversation.model, body, begin_draft())
        return await self._exchange("POST", path, body) if streamed is None else streamed

    async def _ask_for_stream(self, model: str, body: JsonObject, draft: Draft) -> JsonObject | None:
        """The body of the answer; None where the provider does not want to stream."""
        streaming = self.dialect.streaming
        answer = StreamedAnswer(streaming.assemble(), draft, self.dialect.title)
        response = await self._send("POST", streaming.path(model), {**body, **streaming.options}, answer.events)
        if answer.events.is_taken:
            return await self.compute(answer.body)
        return None if refuses_to_stream(response) else await self._read(response)

    async def models(self) -> Sequence[str]:
        """The names of the models that it offers. Raises ConnectorError."""
        body = await self._exchange("GET", self.dialect.models_path, None)
        try:
            return sorted(self.dialect.models(body))
        except (LookupError, TypeError, AttributeError) as error:
            raise self._no_such_answer() from error

    async def _exchange(self, method: str, path: str, body: JsonObject | None) -> JsonObject:
        return await self._read(await self._send(method, path, body))

    async def _send(
        self, method: str, path: str, body: JsonObject | None, events: EventStream | None = None
    ) -> Response:
        return await self.context.tools.async_http.send(
            self.context,
            method,
            self.address + path,
            headers=self.dialect.headers,
            json=body,
            signed_by=self.context.connection,
            download=events,
        )

    async def compute(self, work: Callable[[], T]) -> T:
        """In a thread: a conversation may be large, and takes seconds in any case."""
        return await self.context.in_thread(work, computes=True)

    async def _read(self, response: Response) -> JsonObject:
        return await self.compute(partial(self._parsed, response))

    def _parsed(self, response: Response) -> JsonObject:
        """Raises ConnectorError."""
        _require_success(response, self.dialect.title)
        answer = response.json()
        if not isinstance(answer, dict):
            raise self._no_such_answer()
        return answer

    def _no_such_answer(self) -> ConnectorError:
        return ConnectorError(f"the answer is none of {self.dialect.title}", permanent=True, answered=True)


@dataclass(frozen=True, slots=True)
class Structured:
    """An answer that is JSON after a schema."""

    value: Any
    answer: Answer


async def ask_for_json(provider: Provider, conversation: Conversation, schema: JsonObject) -> Structured:
    """Asks for JSON after the schema; once more, with what is wrong, where the answer is not. Texts that are numbers
    become numbers where the schema has them. An answer that calls tools is none yet, and its value is None. Raises
    ConnectorError where the second answer is wrong, too."""
    form = _INSTRUCTION_BESIDE_TOOLS if conversation.tools else _INSTRUCTION
    written = await provider.compute(partial(jsonio.dumps, schema))
    instruction = f"{conversation.system}\n\n{form}{written.decode()}".strip()
    wanted = replace(conversation, system=instruction, schema=schema)
    plain = await provider.compute(partial(read_schema, References(schema), schema, "answer"))
    first = whole(await provider.ask(wanted))
    if first.calls:
        return Structured(None, first)
    value, problems = await provider.compute(partial(_read, first, plain))
    if not problems:
        return Structured(value, first)
    complaint = f"This is not valid: {told(problems)}. Answer again with nothing but the corrected JSON."
    repair = [Message("assistant", first.text or "-"), Message("user", complaint)]
    second = whole(await provider.ask(replace(wanted, messages=[*wanted.messages, *repair])))
    second = replace(second, usage=first.usage + second.usage)
    if second.calls:
        return Structured(None, second)
    value, problems = await provider.compute(partial(_read, second, plain))
    if problems:
        raise ConnectorError(f"the answer does not follow the schema: {told(problems)}", permanent=False, answered=True)
    return Structured(value, second)


def whole(answer: Answer) -> Answer:
    """Raises ConnectorError where the answer is not all that there is to say."""
    if answer.stop in _NOT_WHOLE:
        raise ConnectorError(_NOT_WHOLE[answer.stop], permanent=True, answered=True)
    return answer


_NOT_WHOLE: dict[StopReason, str] = {"length": _CUT, "refused": _REFUSED}


def _read(answer: Answer, schema: JsonObject) -> tuple[Any, Sequence[Problem]]:
    """The JSON of an answer, also from inside a Markdown fence, with what is wrong with it."""
    fenced = _FENCED.match(answer.text)
    try:
        value = jsonio.loads((fenced[1] if fenced else answer.text).strip())
    except ValueError:
        return None, [Problem("", sentence("it is not JSON"))]
    return fit(schema, value), find_problems(schema, value)


def told(problems: Sequence[Problem]) -> str:
    """What is wrong with a value, as a model and people are told it."""
    return "; ".join(f"{problem.pointer} {problem.message}".strip() for problem in problems[:_MOST_TOLD])


def _require_success(response: Response, provider: str) -> None:
    """Raises ConnectorError. Money that is spent does not come back by trying again."""
    try:
        response.raise_for_status(provider, _reason)
    except ConnectorError as error:
        error.permanent = error.permanent or "insufficient_quota" in response.text
        raise


def _reason(response: Response) -> str:
    """All of them answer with `error.message`."""
    body = response.body()
    error = body.get("error") if isinstance(body, dict) else None
    return str(error.get("message", "")) if isinstance(error, dict) else str(error or "")
