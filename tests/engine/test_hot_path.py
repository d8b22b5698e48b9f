"""What executions cost, counted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.engine.interfaces import ExecutionContext

from flowforge.db.prepared import PREPARED
from flowforge.engine.executor import Executor
from flowforge.engine.log_sink import LogSink
from flowforge.engine.orchestrator import Orchestrator
from tests.actions import transform
from tests.engine.pipeline import Pipeline, working


@contextmanager
def _noting_contexts(engine: Engine) -> Iterator[dict[str, ExecutionContext]]:
    """The statements that are sent inside the block, and how."""
    sent: dict[str, ExecutionContext] = {}

    def note(_connection: Any, _cursor: Any, statement: str, _values: Any, context: Any, _: bool) -> None:
        if context is not None:  # else the driver executes it alone, always prepared
            sent[statement] = context

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(engine, "before_cursor_execute", note)


def test_statements_on_batches_are_planned_once_a_connection(pipeline: Pipeline) -> None:
    loop = {"type": "FOR_EACH", "config": {"items": [1, 2]}, "actions": [transform(b=1)]}
    workflow = pipeline.workflow(transform(a=1), loop)
    with (
        _noting_contexts(pipeline.backends.engine) as sent,
        working(pipeline.backends, Orchestrator, Executor, LogSink),
    ):
        pipeline.finished(pipeline.accept(workflow.id).event_id)
    on_batches = {one: context for one, context in sent.items() if "jsonb_to_recordset" in one}
    assert len(on_batches) >= 8
    assert [
        one for one, context in on_batches.items() if not PREPARED.items() <= context.execution_options.items()
    ] == []
