"""The page that a step reads alone; the place where it ends is sealed, since links and cursors may hold tokens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flowforge import jsonio
from flowforge.connectors.sdk import ConnectorError
from flowforge.jsonio import JsonObject
from flowforge.secrets import SecretUnreadable, Vault, is_sealed


@dataclass(frozen=True, slots=True)
class SealedPage:
    """`given` loads what the page before handed on."""

    given: Callable[[], Any]
    vault: Vault

    def after(self) -> JsonObject | None:
        given = self.given()
        if given is None:
            return None
        place = self._opened(given)
        if not isinstance(place, dict):
            raise ConnectorError("the place where the page before has ended cannot be read", permanent=True)
        return place

    def sealed(self, place: JsonObject) -> str:
        return self.vault.seal(jsonio.dumps(place).decode())

    def _opened(self, given: Any) -> Any:
        try:
            return jsonio.loads(self.vault.open(given)) if is_sealed(given) else None
        except (SecretUnreadable, ValueError):
            return None
