"""A broken append-only file of Valkey's is set aside: what is in it is derived, and made again from PostgreSQL.

The server itself says that it cannot read it, and ends. One whose end is missing it repairs by itself.
"""

from __future__ import annotations

import re
import shutil
import time
from pathlib import Path

_FOLDER = "appendonlydir"
_BROKEN = f"{_FOLDER}.broken-"
_COMPLAINT = re.compile(rb" # .*(append only file|AOF)")
_LAST_BYTES = 4_000


def set_aside(valkey_home: Path, log: Path) -> Path | None:
    """Moves the files away for which the server has just ended, as `log` says; returns where they are now. None: it
    ended for something else. Only the last ones that were set aside are kept."""
    folder = valkey_home / _FOLDER
    if not folder.is_dir() or not _COMPLAINT.search(_last_words(log)):
        return None
    for earlier in valkey_home.glob(_BROKEN + "*"):
        shutil.rmtree(earlier, ignore_errors=True)
    return folder.rename(valkey_home / f"{_BROKEN}{time.strftime('%Y%m%dT%H%M%S')}")


def _last_words(log: Path) -> bytes:
    """The log from the server's last start on."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - _LAST_BYTES))
            return file.read().rpartition(b"is starting")[2]
    except FileNotFoundError:
        return b""
