"""Folders that are gone with the test process, also when that one is killed."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_REMOVE_AT_THE_END = 'cat; while [ -e "$0" ]; do rm -rf "$0" || sleep 0.1; done'
"""Its input ends with the process that holds the other end. A server that is ending may still write into the folder."""


@contextmanager
def temporary_folder(prefix: str) -> Iterator[Path]:
    """A folder for the length of a `with` block.

    Not below pytest's own folder: every pytest that starts closes that one to other users, PostgreSQL's among them.
    """
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    remover = subprocess.Popen(["sh", "-c", _REMOVE_AT_THE_END, folder], stdin=subprocess.PIPE, start_new_session=True)
    try:
        yield folder
    finally:
        remover.communicate()
