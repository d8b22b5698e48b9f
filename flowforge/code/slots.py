"""Places for programs: so many run at once in a process, fairly shared between accounts."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from flowforge.code.program import CodeBusy
from flowforge.fair_shares import FairShares

PLACES = 4
"""An account holds half of them at most."""
_places = FairShares(PLACES)


@contextmanager
def place_for(user_id: UUID, deadline: float) -> Iterator[None]:
    """Holds a place, for which it waits until the deadline (of time.monotonic). Raises CodeBusy."""
    with _places.place(user_id, patience=max(0.0, deadline - time.monotonic())) as is_free:
        if not is_free:
            raise CodeBusy("other code takes all the time there is")
        yield
