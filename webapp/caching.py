"""Answers that no cache may keep, since they are meant for one person."""

from __future__ import annotations

from flask import Response


def never_store(response: Response) -> Response:
    """Forbids caching, so that nothing comes back from a cache after signing out. For `after_request`."""
    response.headers["Cache-Control"] = "no-store"
    return response
