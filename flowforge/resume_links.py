"""Links that resume a wait: unguessable, computed before the wait begins, and good for that wait alone.

A token holds the execution, step and frame, and a MAC over them; nothing is stored. It works once because a wait ends
once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from struct import Struct
from uuid import UUID

from flowforge.language.plan import Plan
from flowforge.signed_tokens import SignedTokens

_TOKENS = SignedTokens(b"flowforge resume link 1:", Struct(">16sHI"))
"""Fields: those of a WaitKey."""


@dataclass(frozen=True, slots=True)
class WaitKey:
    """The key of a wait: its execution and step, and in `iteration` its frame."""

    execution_id: UUID
    step_index: int
    iteration: int


@dataclass(frozen=True, slots=True)
class ResumeLinks:
    """Makes and reads them. `base` is what webhook URLs start with, too."""

    key: str
    base: str

    def of_frame(self, plan: Plan, execution_id: UUID, iteration: int) -> dict[str, Mapping[str, str]]:
        """The root `resume` of expressions: the links of every wait that can be resumed, by the step's id."""
        return {
            step.id: self._links(WaitKey(execution_id, step.index, iteration), str(step.config.get("for")))
            for step in plan.resumable
        }

    def read(self, token: str) -> WaitKey | None:
        """Read a wait's key from a token; None for a token that is none of ours."""
        fields = _TOKENS.read(self.key, token)
        if fields is None:
            return None
        execution_id, step_index, iteration = fields
        return WaitKey(UUID(bytes=execution_id), step_index, iteration)

    def url(self, key: WaitKey) -> str:
        return f"{self.base}/resume/{self.token(key)}"

    def token(self, key: WaitKey) -> str:
        return _TOKENS.make(self.key, key.execution_id.bytes, key.step_index, key.iteration)

    def _links(self, key: WaitKey, kind: str) -> dict[str, str]:
        url = self.url(key)
        return {"url": url} | (
            {"approveUrl": f"{url}?approve", "rejectUrl": f"{url}?reject"} if kind == "approval" else {}
        )
