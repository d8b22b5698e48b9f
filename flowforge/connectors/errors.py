"""The failure of a step, as connectors and their tools raise it."""

from __future__ import annotations


class ConnectorError(Exception):
    """The step failed. `permanent`: trying again cannot help. `retry_after`: seconds the receiver asked for.

    The text is shown to people and logged, so it never quotes a secret.
    """

    def __init__(self, message: str, permanent: bool, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.retry_after = retry_after
