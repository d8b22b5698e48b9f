"""Agents on the whole pipeline, with a model that is asked over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from flowforge.connections import named_secrets
from flowforge.db.tables import FrameRow, OpenBlockRow
from flowforge.jsonio import JsonObject
from tests.actions import transform
from tests.engine.pipeline import OWNER, Pipeline, working
from tests.services.language_model import LanguageModel, Says, answers, calls, results
from tests.services.serving import serving
from tests.waiting import eventually


@pytest.fixture
def model() -> Iterator[LanguageModel]:
    """It answers that it has nothing to do, unless a test says otherwise."""
    server = LanguageModel(lambda _: answers("Nothing to do."))
    with serving(server):
        yield server


def tool(name: str, *actions: JsonObject, parameters: JsonObject | None = None, **config: Any) -> JsonObject:
    whole = {"description": f"Does {name}", "parameters": parameters or {}, **config}
    return {"id": name, "type": "TOOL", "config": whole, "actions": list(actions)}


def agent(model: LanguageModel, *tools: JsonObject, max_rounds: int = 10, **asking: Any) -> JsonObject:
    ask = {"id": "ask", "type": "LLM", "config": {**model.config, **asking}}
    return {"id": "helper", "type": "AGENT", "config": {"maxRounds": max_rounds}, "actions": [ask, *tools]}


def post(model: LanguageModel, path: str) -> JsonObject:
    return {"id": "post", "type": "HTTP_REQUEST", "config": {"method": "POST", "url": model.url + path}}


FOUND = {"id": "found", **transform(price="{{ trigger.prices[arguments.article] }}")}
PRICE = tool("price", FOUND, parameters={"article": "Its name"})


def run(pipeline: Pipeline, model: LanguageModel, says: Says, *actions: JsonObject, **payload: Any) -> Any:
    model.says = says
    with working(pipeline.backends):
        event = pipeline.accept(pipeline.workflow(*actions).id, {"question": "How much is tea?", **payload})
        return pipeline.finished(event.event_id)


def test_tools_run_between_the_rounds_and_the_model_is_told(pipeline: Pipeline, model: LanguageModel) -> None:
    def says(messages: Any) -> JsonObject:
        known = results(messages)
        if not known:
            return calls(("price", {"article": "tea"}), ("price", {"article": "milk"}))
        return calls(("order", {"article": "tea"})) if len(known) == 2 else answers(f"Ordered: {known[-1]}")

    send = post(model, "/orders/{{ arguments.article }}")
    order = tool("order", send, parameters={"article": "Its name"}, result="{{ steps.post.status }}")
    done = run(pipeline, model, says, agent(model, PRICE, order), prices={"tea": 3, "milk": 1})
    assert done.error is None
    assert done.step_outputs["step_0"] == {
        "text": "Ordered: 200",
        "rounds": 3,
        "calls": [
            {"name": "price", "arguments": {"article": "tea"}},
            {"name": "price", "arguments": {"article": "milk"}},
            {"name": "order", "arguments": {"article": "tea"}},
        ],
        "usage": {"inputTokens": 30, "outputTokens": 6},
    }
    assert [path for path, _ in model.calls] == ["/orders/tea"]
    assert results(model.asked[1]["messages"]) == ['{"price":3}', '{"price":1}']
    assert [tool["function"]["name"] for tool in model.asked[0]["tools"]] == ["price", "order"]
    assert model.asked[2]["messages"][0] == {"role": "user", "content": "How much is tea?"}


def test_each_call_of_the_model_and_of_a_tool_is_an_attempt_of_its_own(
    pipeline: Pipeline, model: LanguageModel
) -> None:
    done = run(
        pipeline,
        model,
        lambda messages: answers("3") if results(messages) else calls(("price", {"article": "tea"})),
        agent(model, PRICE),
        prices={"tea": 3},
    )
    tried = pipeline.attempts(done.id)
    with Session(pipeline.backends.engine) as session:
        frames = session.scalars(select(FrameRow).where(FrameRow.execution_id == done.id)).all()
    assert sorted((attempt.step_index, attempt.attempt) for attempt in tried) == [(1, 1), (1, 1), (3, 1)]
    assert len({attempt.iteration for attempt in tried}) == 3
    assert {(frame.block_step, frame.position) for frame in frames} == {(0, 0), (2, 0), (0, 1)}


def test_errors_unknown_tools_and_arguments_that_do_not_fit_are_told_to_the_model(
    pipeline: Pipeline, model: LanguageModel
) -> None:
    def says(messages: Any) -> JsonObject:
        if results(messages):
            return answers("I give up.")
        return calls(("price", {"article": "gold"}), ("delete", {}), ("price", {"name": "tea"}))

    done = run(pipeline, model, says, agent(model, PRICE), prices={"tea": 3})
    assert done.step_outputs["step_0"]["text"] == "I give up."
    failed, unknown, unfit = results(model.asked[1]["messages"])
    assert "trigger.prices has nothing under the name" in failed
    assert unknown == "there is no tool 'delete'; there are price"
    assert unfit.startswith("the arguments do not fit: /article is required")


def test_a_tool_may_fail_the_execution(pipeline: Pipeline, model: LanguageModel) -> None:
    price = {**PRICE, "config": {**PRICE["config"], "onCallError": "fail"}}
    done = run(pipeline, model, lambda _: calls(("price", {"article": "gold"})), agent(model, price), prices={})
    assert done.status == "FAILED"
    assert (done.error["step"], done.error["call"]) == ("found", 1)


def test_it_ends_at_its_limit_of_rounds(pipeline: Pipeline, model: LanguageModel) -> None:
    asks = agent(model, PRICE, max_rounds=3)
    done = run(pipeline, model, lambda _: calls(("price", {"article": "tea"})), asks, prices={"tea": 3})
    assert done.status == "FAILED"
    assert "still calls tools in round 3" in done.error["message"]
    assert len(model.asked) == 3


def test_a_long_conversation_travels_by_reference(pipeline: Pipeline, model: LanguageModel) -> None:
    """What is too large for a message, the executor loads."""
    text = "a" * 40_000
    read = tool("read", {"id": "page", **transform(text="{{ trigger.text }}")}, result="{{ steps.page.text }}")

    def says(messages: Any) -> JsonObject:
        return answers("Read.") if len(results(messages)) == 9 else calls(("read", {}))

    done = run(pipeline, model, says, agent(model, read), text=text)
    assert done.error is None
    assert results(model.asked[-1]["messages"]) == [text] * 9


def test_its_answer_may_be_data(pipeline: Pipeline, model: LanguageModel) -> None:
    schema = {"type": "object", "properties": {"price": {"type": "integer"}}, "required": ["price"]}

    def says(messages: Any) -> JsonObject:
        return answers('{"price": 3}') if results(messages) else calls(("price", {"article": "tea"}))

    asks, after = (
        agent(model, PRICE, output="json", schema=schema),
        transform(total="{{ steps.helper.json.price * 2 }}"),
    )
    done = run(pipeline, model, says, asks, after, prices={"tea": 3})
    assert done.step_outputs["step_4"] == {"total": 6}


def test_a_cancelled_agent_calls_no_further_tool(pipeline: Pipeline, model: LanguageModel) -> None:
    model.says = lambda _: calls(("ask_ann", {}), ("send", {}))
    approval = {"id": "ok", "type": "WAIT", "config": {"for": "approval"}}
    workflow = pipeline.workflow(agent(model, tool("ask_ann", approval), tool("send", post(model, "/mails"))))
    with working(pipeline.backends):
        event = pipeline.accept(workflow.id, {"question": "May I?"})
        execution = pipeline.started(event.event_id)
        eventually(lambda: [tried.state for tried in pipeline.attempts(execution.id)][1:] == ["WAITING"])
        pipeline.cancel(execution.id)
        done = pipeline.finished(event.event_id)
    assert done.status == "CANCELLED"
    assert (len(model.asked), model.calls) == (1, [])


def test_the_secrets_of_its_prompt_are_not_kept(pipeline: Pipeline, model: LanguageModel) -> None:
    with Session(pipeline.backends.engine) as session:
        named_secrets.put_secret(session, pipeline.backends.vault, OWNER, "code", "correct-horse")

    def says(messages: Any) -> JsonObject:
        said = messages[0]["content"]
        return answers(f"You said: {said}") if results(messages) else calls(("price", {"article": said}))

    done = run(pipeline, model, says, agent(model, PRICE, prompt="{{ secrets.code }}"), prices={})
    assert done.error is None
    assert [asked["messages"][0]["content"] for asked in model.asked] == ["correct-horse"] * 2
    with Session(pipeline.backends.engine) as session:
        frames = session.scalars(select(FrameRow).where(FrameRow.execution_id == done.id)).all()
        blocks = session.scalars(select(OpenBlockRow).where(OpenBlockRow.execution_id == done.id)).all()
    kept = [(frame.outputs, frame.item, frame.result) for frame in frames], [block.memory for block in blocks]
    assert len(blocks) == 2
    assert "correct-horse" not in str(kept)
    assert "correct-horse" not in str(done.step_outputs)
