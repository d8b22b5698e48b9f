"""What a model writes is announced to the live views while it comes, if somebody watches."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pytest
from redis import Redis
from redis.client import PubSub

from flowforge import jsonio
from flowforge.engine import draft
from flowforge.engine.draft import MOST_SHOWN, AnnouncedDraft
from flowforge.events import ExecutionStart
from flowforge.live import channel
from flowforge.secrets import MASK
from tests.engine.pipeline import Pipeline, working
from tests.services.language_model import LanguageModel, answers
from tests.services.serving import serving

EXECUTION = UUID("00000000-0000-4000-8000-000000000000")
SECRETS = ("hush-hush", "hush-hush-too")


@pytest.fixture
def model() -> Iterator[LanguageModel]:
    server = LanguageModel(lambda _: answers("Tea is dear, and milk is not."))
    with serving(server):
        yield server


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is added is announced."""
    monkeypatch.setattr(draft, "_EVERY_SECONDS", 0)


def new_draft(redis: Redis) -> AnnouncedDraft:
    ids = dict.fromkeys(("executionId", "workflowId", "userId"), str(EXECUTION))
    start = ExecutionStart.model_validate({**ids, "stepIndex": 3, "iteration": 2, "actionType": "LLM"})
    return AnnouncedDraft(redis, start, SECRETS)


@contextmanager
def watching(redis: Redis, execution_id: UUID = EXECUTION) -> Iterator[PubSub]:
    with redis.pubsub() as viewer:
        viewer.subscribe(channel(execution_id))
        assert viewer.get_message(timeout=10)
        yield viewer


def next_draft(viewer: PubSub) -> Any:
    """The next draft that is announced; lines of the log are passed over."""
    while message := viewer.get_message(timeout=10):
        announced = jsonio.loads(message["data"])
        if "draft" in announced:
            return announced["draft"]
    raise AssertionError("nothing is announced")


def published(redis: Redis) -> int:
    """The announcements so far."""
    found: Any = redis.info("commandstats")
    return int(found.get("cmdstat_publish", {"calls": 0})["calls"])


@pytest.mark.usefixtures("at_once")
def test_the_text_grows_while_the_model_writes(pipeline: Pipeline, model: LanguageModel) -> None:
    """The model goes on only when what it has written can be seen."""
    is_watched, may_go_on = threading.Event(), threading.Semaphore(0)

    def pause() -> None:
        assert is_watched.wait(30)
        assert may_go_on.acquire(timeout=30)

    model.pause = pause
    with working(pipeline.backends):
        ask = {"type": "LLM", "config": {**model.config, "prompt": "How much?"}}
        event = pipeline.accept(pipeline.workflow(ask).id)
        execution = pipeline.started(event.event_id)
        with watching(pipeline.backends.redis, execution.id) as viewer:
            is_watched.set()
            may_go_on.release(2)  # the role, and the first piece
            first = next_draft(viewer)
            may_go_on.release()
            second = next_draft(viewer)
        may_go_on.release(1_000)
        done = pipeline.finished(event.event_id)
    assert (first["stepIndex"], first["iteration"], first["attempt"]) == (0, 0, 1)
    assert [first["text"], second["text"]] == ["Tea", "Tea is"]
    assert done.step_outputs["step_0"]["text"] == "Tea is dear, and milk is not."
    assert done.step_outputs["step_0"]["usage"] == {"inputTokens": 10, "outputTokens": 2}


@pytest.mark.usefixtures("at_once")
def test_nothing_is_announced_while_nobody_watches(pipeline: Pipeline) -> None:
    redis = pipeline.backends.redis
    written, before = new_draft(redis), published(redis)
    written.add("Tea")
    assert published(redis) == before
    with watching(redis) as viewer:
        written.add(" is dear")
        assert next_draft(viewer)["text"] == "Tea is dear"
    assert published(redis) == before + 1


def test_pieces_that_come_fast_are_announced_together(pipeline: Pipeline) -> None:
    redis = pipeline.backends.redis
    written, before = new_draft(redis), published(redis)
    with watching(redis):
        for _ in range(1_000):
            written.add("x")
    assert 1 <= published(redis) - before < 100


@pytest.mark.usefixtures("at_once")
def test_only_the_end_of_a_long_text_is_announced(pipeline: Pipeline) -> None:
    written = new_draft(pipeline.backends.redis)
    written.add("a" * MOST_SHOWN)
    with watching(pipeline.backends.redis) as viewer:
        written.add("the end")
        text = next_draft(viewer)["text"]
    assert len(text) == MOST_SHOWN
    assert text.endswith("athe end")


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("size", [1, 3, 5, 100])
def test_a_secret_is_masked_wherever_it_is_cut(pipeline: Pipeline, size: int) -> None:
    text = "It is hush-hush, or hush-hush-too, or hush-money."
    written, seen = new_draft(pipeline.backends.redis), []
    with watching(pipeline.backends.redis) as viewer:
        for start in range(0, len(text), size):
            written.add(text[start : start + size])
            seen.append(next_draft(viewer)["text"])
    assert all(one == seen[-1][: len(one)] for one in seen)
    assert "hush-hush" not in seen[-1]
    assert seen[-1].startswith(f"It is {MASK}, or {MASK}")
    assert seen[-1].endswith("or hush-money.")


def test_a_step_goes_on_while_redis_is_away(silent_redis: Redis) -> None:
    written = new_draft(silent_redis)
    written.add("Tea")
    written.add(" is dear")


@pytest.fixture
def silent_redis() -> Redis:
    """Nobody listens there."""
    return Redis.from_url("redis://127.0.0.1:1/0", retry=None)
