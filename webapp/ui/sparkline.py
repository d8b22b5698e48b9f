"""Recent runs as small bars: the colour says how each ended, the height how long it took."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence

from flowforge.workflows.listing import Run
from webapp.translation.texts import ngettext
from webapp.ui.state_names import state_name

TALLEST, SHORTEST = 26, 6
WIDTH, PITCH = 120, 6
"""Width of the picture, and distance from one bar to the next."""


def bar_height(run: Run) -> int:
    """Compute the height on a logarithmic scale from 10 ms to 100 s: runs differ by orders of magnitude."""
    if run.finished_at is None:
        return TALLEST
    seconds = max((run.finished_at - run.created_at).total_seconds(), 0.01)
    share = min(max((math.log10(seconds) + 2) / 4, 0.0), 1.0)
    return round(SHORTEST + (TALLEST - SHORTEST) * share)


def bars_by_status(runs: Sequence[Run]) -> Mapping[str, str]:
    """The bars of each status as one SVG path, the newest run at the right edge: a page shows hundreds of them."""
    paths: dict[str, str] = {}
    for position, run in enumerate(reversed(runs)):
        x = WIDTH - PITCH * position - PITCH // 2
        paths[run.status] = f"{paths.get(run.status, '')}M{x} {TALLEST}v-{bar_height(run)}"
    return paths


def outcome(runs: Sequence[Run]) -> str:
    """Say in words what the bars show."""
    counted = Counter(run.status for run in runs)
    counts = ", ".join(f"{state_name(status)}: {number}" for status, number in counted.most_common())
    return ngettext("Last execution: %(counts)s", "Last %(count)s executions: %(counts)s", len(runs), counts=counts)
