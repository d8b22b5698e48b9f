"""What an exchange that has failed means for the step, whichever library has noticed it."""

from __future__ import annotations

import ssl
import time
from typing import TypeVar

import requests

from flowforge.connectors.errors import ConnectorError

E = TypeVar("E", bound=Exception)


def as_connector_error(error: Exception, host: str, deadline: float) -> ConnectorError:
    """`host`: what the error calls the receiver; `deadline`: that of the exchange, by time.monotonic."""
    own = _first_behind(error, ConnectorError)
    if own is not None:
        return own
    if time.monotonic() >= deadline or isinstance(error, requests.Timeout | TimeoutError):
        return ConnectorError(f"{host} did not answer in time", permanent=False)
    tls = _first_behind(error, ssl.SSLError)
    if isinstance(tls, ssl.SSLCertVerificationError) or (
        tls is None and isinstance(error, requests.exceptions.SSLError)
    ):
        return ConnectorError(f"{host} shows no certificate that can be trusted", permanent=True)
    if tls is not None and tls.reason:
        return ConnectorError(
            f"no secure connection to {host} was made: {tls.reason}", permanent="CERTIFICATE" in tls.reason
        )
    return ConnectorError(f"the connection to {host} failed", permanent=False)


def _first_behind(error: Exception, kind: type[E]) -> E | None:
    """The first error of that kind among the error and its causes."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, kind):
        cause = cause.__cause__ or cause.__context__
    return cause
