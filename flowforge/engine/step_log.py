"""The log of a step that runs: its lines are published as messages, which the log sink writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from flowforge import jsonio
from flowforge.bus import EventBus, Message
from flowforge.connectors.sdk import LogLine, StepLog
from flowforge.engine.announcements import announce_quietly, execution_event
from flowforge.events import ExecutionStart
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
        before, self.written = self.written, self.written + len(lines)
        kept = list(lines[: max(0, MOST_LINES - before)])
        if before <= MOST_LINES < self.written:
            kept.append(_FULL)
        if kept:
            announce_quietly(self.bus, [self._message(line) for line in kept])

    def _message(self, line: LogLine) -> Message:
        start = self.start
        return execution_event(
            start.execution_id,
            start.workflow_id,
            start.user_id,
            line.level,
            step_index=start.step_index,
            iteration=start.iteration,
            attempt=start.attempt,
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
