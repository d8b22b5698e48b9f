"""Links that resume a wait: unguessable, computed before the wait begins, and good for that wait alone.

A token holds the execution, step and frame, and a MAC over them; nothing is stored. It works once because a wait ends
once.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from flowforge.language.plan import Plan

_PACKED_KEY = struct.Struct(">16sHI")
_MAC_BYTES = 16
_PURPOSE = b"flowforge resume link 1:"


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
        try:
            data = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        except (binascii.Error, ValueError):
            return None
        key, mac = data[: _PACKED_KEY.size], data[_PACKED_KEY.size :]
        if len(key) != _PACKED_KEY.size or not hmac.compare_digest(mac, self._mac(key)):
            return None
        execution_id, step_index, iteration = _PACKED_KEY.unpack(key)
        return WaitKey(UUID(bytes=execution_id), step_index, iteration)

    def url(self, key: WaitKey) -> str:
        return f"{self.base}/resume/{self.token(key)}"

    def token(self, key: WaitKey) -> str:
        packed = _PACKED_KEY.pack(key.execution_id.bytes, key.step_index, key.iteration)
        return base64.urlsafe_b64encode(packed + self._mac(packed)).rstrip(b"=").decode()

    def _links(self, key: WaitKey, kind: str) -> dict[str, str]:
        url = self.url(key)
        return {"url": url} | (
            {"approveUrl": f"{url}?approve", "rejectUrl": f"{url}?reject"} if kind == "approval" else {}
        )

    def _mac(self, packed: bytes) -> bytes:
        return hmac.digest(self.key.encode(), _PURPOSE + packed, "sha256")[:_MAC_BYTES]
