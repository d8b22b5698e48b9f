"""The error by which connectors and their tools fail a step."""

from __future__ import annotations

from uuid import UUID


class ConnectorError(Exception):
    """A failure of the step. `permanent`: trying again cannot help. `retry_after`: seconds that the receiver demands.
    `answered`: the receiver itself has refused what it was asked. Without such an answer nobody knows whether it was
    done, and the next try carries the same Idempotency-Key.

    The text is shown to people and logged, so it never quotes a secret.
    """

    def __init__(
        self, message: str, permanent: bool, retry_after: float | None = None, *, answered: bool = False
    ) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.retry_after = retry_after
        self.answered = answered


class ConnectionBroken(ConnectorError):
    """A connection that its owner has to sign in with again. The step waits for that, for a time."""

    def __init__(self, message: str, connection_id: UUID) -> None:
        super().__init__(message, permanent=True)
        self.connection_id = connection_id
