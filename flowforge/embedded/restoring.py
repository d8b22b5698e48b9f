"""Restoring a dump that `pg_dump --format=custom` has made."""

from __future__ import annotations

import subprocess
from pathlib import Path

from flowforge.embedded.database import database_at_rest
from flowforge.embedded.postgres import program_folder
from flowforge.embedded.server import CannotStart
from flowforge.settings import Settings


def restore(settings: Settings, dump: Path) -> None:
    """Replaces what stands in the database, in one transaction. Raises AlreadyRunning, and CannotStart with what
    PostgreSQL says."""
    if not dump.is_file():
        raise CannotStart(f"there is no file {dump}")
    with database_at_rest(settings) as url:
        options = ("--clean", "--if-exists", "--single-transaction", "--no-owner", f"--dbname={url}")
        ended = subprocess.run(  # noqa: S603  the wheel's own program, without a shell
            [program_folder() / "pg_restore", *options, dump], capture_output=True, text=True, check=False
        )
    if ended.returncode != 0:
        raise CannotStart(f"the dump cannot be restored, and nothing has changed: {ended.stderr.strip()[-500:]}")
