"""The kinds of stores, each found by the scheme of its URL: one file a kind."""

from __future__ import annotations

from urllib.parse import urlsplit

from flowforge.files.object_store import ObjectStore
from flowforge.files.stores.folder import open_folder

_KINDS = {"file": open_folder}


def open_store(url: str) -> ObjectStore:
    """Raises ValueError for a URL of no kind."""
    scheme = urlsplit(url).scheme
    if scheme not in _KINDS:
        raise ValueError(f"FILES_URL begins with one of {', '.join(f'{name}://' for name in _KINDS)}")
    return _KINDS[scheme](url)
