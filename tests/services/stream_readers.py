"""A viewer, and the executions it watches."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import requests
from sqlalchemy import update

from flowforge import jsonio
from flowforge.db.tables import ExecutionRow
from flowforge.events import ExecutionStart
from flowforge.live import announce, channel, draft_json
from flowforge.logbook import LogEntry, NewEntry
from tests.api.things import EXECUTIONS, execution
from tests.people import Person
from tests.services.web_server import Stage

WITHIN_SECONDS = 15
WORKFLOW = UUID(int=1)


@dataclass(frozen=True, slots=True)
class Event:
    kind: str
    id: str | None
    data: dict[str, Any]


class Watched:
    """An execution whose log is written by the test, as the log sink would."""

    def __init__(self, stage: Stage, status: str = "RUNNING") -> None:
        self._stage = stage
        self.id = execution(stage.backends.engine, stage.owner, workflow_id=WORKFLOW, status=status)

    def write(self, count: int = 1, *, announced: bool = True) -> list[LogEntry]:
        return self._log([("RESULT", "SUCCESS")] * count, announced)

    def draft(self, text: str) -> None:
        """Announces what step 1 has written so far."""
        ids = {"executionId": self.id, "workflowId": WORKFLOW, "userId": self._stage.owner.id}
        start = ExecutionStart.model_validate({**ids, "stepIndex": 1, "actionType": "LLM"})
        self._stage.backends.redis.publish(channel(self.id), draft_json(start, text))

    def end(self, status: str = "COMPLETED", *, announced: bool = True) -> None:
        with self._stage.backends.engine.begin() as connection:
            connection.execute(update(ExecutionRow).where(ExecutionRow.id == self.id).values(status=status))
        self._log([("EXECUTION", status)], announced)

    def _log(self, lines: list[tuple[str, str]], announced: bool) -> list[LogEntry]:
        entries = [
            NewEntry(str(uuid4()), self._stage.owner.id, WORKFLOW, self.id, None, kind, status, {"n": number})
            for number, (kind, status) in enumerate(lines)
        ]
        written = self._stage.backends.logbook.append(entries)
        if announced:
            announce(self._stage.backends.redis, written)
        return written


def ask(stage: Stage, execution_id: UUID | str, person: Person | None = None, **options: Any) -> requests.Response:
    headers = (person or stage.owner).headers | options.pop("headers", {})
    url = f"{stage.url}{EXECUTIONS}/{execution_id}/live"
    return requests.get(url, headers=headers, stream=True, timeout=WITHIN_SECONDS, **options)


@contextmanager
def watching(stage: Stage, watched: Watched, **options: Any) -> Iterator[Iterator[Event]]:
    """The events, as they come. The first one may be waited for before the test goes on: then it listens."""
    with ask(stage, watched.id, **options) as answer:
        assert answer.status_code == 200, answer.text
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        yield _events(answer)


def lines(events: Iterator[Event], count: int) -> list[str]:
    """The ids of the next log lines."""
    found: list[str] = []
    while len(found) < count:
        event = next(events)
        if event.kind == "log":
            found.append(str(event.id))
    return found


def cursors(entries: list[LogEntry]) -> list[str]:
    return [entry.cursor for entry in entries]


def _events(answer: requests.Response) -> Iterator[Event]:
    fields: dict[str, str] = {}
    last = time.monotonic()
    for line in answer.iter_lines(chunk_size=1, decode_unicode=True):
        assert time.monotonic() - last < WITHIN_SECONDS, "nothing but signs of life"
        if line and not line.startswith(":"):
            name, _, value = line.partition(": ")
            fields[name] = value
        elif fields:
            yield Event(fields["event"], fields.get("id"), jsonio.loads(fields["data"]))
            fields, last = {}, time.monotonic()
