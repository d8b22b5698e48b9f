"""The kinds of stores, each found by the scheme of its URL: one file a kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from flowforge.files.object_store import ObjectStore
from flowforge.files.stores.folder import open_folder
from flowforge.files.stores.s3 import open_bucket
from flowforge.settings import Settings

_KINDS: Mapping[str, Callable[[str, Settings], ObjectStore]] = {"file": open_folder, "s3": open_bucket}


def open_store(settings: Settings) -> ObjectStore:
    return _KINDS[urlsplit(settings.files_url).scheme](settings.files_url, settings)
