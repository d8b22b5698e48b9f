"""Compression of responses, where the client accepts it: a page of the dashboard becomes a fifth of its size."""

from __future__ import annotations

from flask import Flask, Response
from flask_compress import Compress

_SMALLEST_BYTES = 1024
"""Less fits into one packet anyway."""


def install(app: Flask) -> None:
    """Compress responses, except live streams: their type is not among those that are compressed."""
    app.config["COMPRESS_ALGORITHM"] = ["br", "gzip"]
    app.config["COMPRESS_MIN_SIZE"] = _SMALLEST_BYTES
    app.config["COMPRESS_REGISTER"] = False
    compress = Compress(app)

    def compress_large(response: Response) -> Response:
        """One that is too small never is compressed, so it does not vary by what the client accepts either."""
        size = response.content_length
        is_small = size is not None and size < _SMALLEST_BYTES
        return response if is_small else compress.after_request(response)

    app.after_request(compress_large)
