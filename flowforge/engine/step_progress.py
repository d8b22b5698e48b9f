"""The progress of a step in PostgreSQL: each part that is done is committed, as long as the executor holds the step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flowforge import jsonio
from flowforge.connectors.sdk import ConnectorError, Part
from flowforge.db import parts_store
from flowforge.db.attempt_rows import AttemptKey
from flowforge.db.engine import Engine, transaction
from flowforge.db.parts_store import StoredPart
from flowforge.secrets import Vault, mask_values


@dataclass(slots=True)
class StepProgress:
    """`owner`: the executor. `secrets`: texts that are masked in what is kept; where it goes on is sealed."""

    engine: Engine
    vault: Vault
    owner: str
    key: AttemptKey
    secrets: Sequence[str]
    is_kept: bool = False
    """Whether there are parts to be deleted when the step ends."""

    def parts(self) -> list[Part]:
        """Raises Unavailable."""
        with transaction(self.engine) as connection:
            found = [self._read(stored) for stored in parts_store.parts(connection, self.key)]
        self.is_kept = bool(found)
        return found

    def add(self, part: Part) -> None:
        """Raises Unavailable, and ConnectorError where another executor has the step by now."""
        with transaction(self.engine) as connection:
            if not parts_store.add(connection, self.owner, self.key, self._stored(part)):
                raise ConnectorError("another executor has taken over the step", permanent=False)
        self.is_kept = True

    def _stored(self, part: Part) -> StoredPart:
        items = jsonio.dumps(mask_values(part.items, self.secrets)).decode()
        following = None if part.next is None else self.vault.seal(jsonio.dumps(part.next).decode())
        return StoredPart(part.number, items, following, part.complete)

    def _read(self, stored: StoredPart) -> Part:
        following = None if stored.next is None else jsonio.loads(self.vault.open(stored.next))
        return Part(stored.number, jsonio.loads(stored.items), following, stored.complete)
