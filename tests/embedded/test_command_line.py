"""`python -m flowforge`: what every command of it costs."""

from __future__ import annotations

import subprocess
import sys

_HEAVY = ("sqlalchemy", "alembic", "flask", "jinja2", "requests")
_PROGRAM = f"""
import sys
import flowforge.__main__
flowforge.__main__._parser()
print(*(name for name in {_HEAVY} if name in sys.modules))
"""


def test_a_command_imports_only_what_it_needs_itself() -> None:
    """Health checks and each process of `run` go past the parser of all commands."""
    run = subprocess.run([sys.executable, "-c", _PROGRAM], capture_output=True, text=True, check=True)
    assert run.stdout.split() == []
