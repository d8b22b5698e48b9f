"""Files, made as the settings want them."""

from __future__ import annotations

from flowforge.db.engine import Engine
from flowforge.files.files import FileLimits, Files
from flowforge.files.stores import open_store
from flowforge.settings import Settings


def make_files(engine: Engine, settings: Settings) -> Files:
    limits = FileLimits(settings.file_max_bytes, settings.quota_file_bytes)
    return Files(engine, open_store(settings), limits)
