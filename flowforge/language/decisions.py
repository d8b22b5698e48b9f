"""What a person decided who was asked for an approval, as the output of the WAIT tells it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_SOMEBODY = "somebody who had the link"


@dataclass(frozen=True, slots=True)
class Decision:
    approved: bool
    by: str | None
    """The user name of the person; None where they just had the link."""
    comment: str | None

    @property
    def state(self) -> str:
        """APPROVED or REJECTED."""
        return "APPROVED" if self.approved else "REJECTED"

    def __str__(self) -> str:
        """`rejected by ada: too expensive`."""
        return f"{self.state.lower()} by {self.by or _SOMEBODY}" + (f": {self.comment}" if self.comment else "")


def read_decision(output: Any) -> Decision | None:
    """The decision that an output is; None where nobody decided."""
    approved = output.get("approved") if isinstance(output, Mapping) else None
    if not isinstance(output, Mapping) or not isinstance(approved, bool):
        return None
    return Decision(approved, output.get("by"), output.get("comment"))
