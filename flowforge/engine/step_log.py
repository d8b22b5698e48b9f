"""The log of a step that runs: its lines are published as messages, which the log sink writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from flowforge import events, jsonio
from flowforge.bus import EventBus, Message
from flowforge.connectors.sdk import LogLine, StepLog
from flowforge.engine.announcements import announce_quietly
from flowforge.events import ExecutionEvent, ExecutionStart
from flowforge.ids import uuid7
from flowforge.secrets import mask_text

MOST_LINES = 10_000
"""Of one attempt."""
LONGEST_LINE = 2_000
"""Characters."""


@dataclass(slots=True)
class PublishedLog:
    """`secrets`: texts that are masked in the lines."""

    bus: EventBus
    start: ExecutionStart
    secrets: Sequence[str]
    written: int = 0

    def add(self, lines: Sequence[LogLine]) -> None:
        room = MOST_LINES - self.written
        self.written += len(lines)
        kept = [*lines[:room], *([_FULL] if 0 <= room < len(lines) else ())]
        if kept:
            announce_quietly(self.bus, [Message.of(events.EXECUTION_EVENTS, self._message(line)) for line in kept])

    def _message(self, line: LogLine) -> ExecutionEvent:
        start = self.start
        return ExecutionEvent(
            execution_id=start.execution_id,
            workflow_id=start.workflow_id,
            user_id=start.user_id,
            status=line.level,
            step_index=start.step_index,
            iteration=start.iteration,
            attempt=start.attempt,
            timestamp=datetime.now(UTC),
            line_id=uuid7(),
            message=jsonio.writable(mask_text(line.text, self.secrets))[:LONGEST_LINE],
        )


@dataclass(frozen=True, slots=True)
class MaskedLog:
    """A log of somebody who tries a step out. `secrets`: texts that are masked in the lines."""

    log: StepLog
    secrets: Sequence[str]

    def add(self, lines: Sequence[LogLine]) -> None:
        self.log.add([replace(line, text=mask_text(line.text, self.secrets)) for line in lines])


_FULL = LogLine(f"the step has written {MOST_LINES:,} lines: further ones are left out", "WARN")
