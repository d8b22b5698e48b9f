"""Looking through an execution's log: filtered, page by page, without reading all of it at once."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from flowforge.errors import Invalid
from flowforge.executions.log_search import LogFilter, search
from flowforge.ids import uuid7
from flowforge.logbook import LogStore, NewEntry
from flowforge.wiring import Backends

RUN, USER = UUID(int=5), UUID(int=6)


@pytest.fixture
def logbook(backends: Backends) -> LogStore:
    return backends.logbook


def write(logbook: LogStore, count: int, status: str = "SUCCESS", kind: str = "RESULT", **data: Any) -> None:
    logbook.append(
        [
            NewEntry(str(uuid7()), USER, None, RUN, None, kind, status, {"number": number, **data})
            for number in range(count)
        ]
    )


def test_pages_follow_each_other(logbook: LogStore) -> None:
    write(logbook, 250)
    numbers, after, pages = [], None, 0
    while pages == 0 or after:
        page = search(logbook, USER, RUN, LogFilter(), after)
        numbers += [entry.data["number"] for entry in page.entries if entry.data]
        after, pages = page.after, pages + 1
    assert (numbers, pages) == (list(range(250)), 3)


@pytest.mark.parametrize(
    "wanted",
    [LogFilter(text="TIMED"), LogFilter(status="FAILURE"), LogFilter(event_type="START"), LogFilter(step=3)],
    ids=["text", "status", "kind", "step"],
)
def test_a_filter_keeps_what_fits(logbook: LogStore, wanted: LogFilter) -> None:
    write(logbook, 5)
    write(logbook, 1, "FAILURE", "START", stepIndex=3, errorMessage="it timed out")
    page = search(logbook, USER, RUN, wanted)
    assert [entry.status for entry in page.entries] == ["FAILURE"]


def test_what_is_looked_through_at_once_is_bounded(logbook: LogStore) -> None:
    write(logbook, 120)
    write(logbook, 1, needle=True)
    first = search(logbook, USER, RUN, LogFilter(text="needle"), scanned=100)
    assert first.entries == []
    assert len(search(logbook, USER, RUN, LogFilter(text="needle"), first.after).entries) == 1


def test_others_see_nothing_and_a_wrong_position_is_refused(logbook: LogStore) -> None:
    write(logbook, 1)
    assert search(logbook, uuid7(), RUN, LogFilter()).entries == []
    with pytest.raises(Invalid):
        search(logbook, USER, RUN, LogFilter(), "nowhere")
