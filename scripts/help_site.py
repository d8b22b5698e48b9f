"""Builds docs/ as a site into site/, which the web process serves under /help: `make docs`.

The pages are taken as they stand; a reference that is made from what the code declares is added to them.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from scripts.help_reference import reference_pages

ROOT = Path(__file__).resolve().parents[1]
_CONFIG = "mkdocs.yml"
_SITE = ROOT / "site"


def main() -> None:
    """Replaces the site at once, so that a running server shows the old one or the new one."""
    with TemporaryDirectory(prefix="flowforge-help-") as folder:
        built = _SITE.with_name(".site-new")
        shutil.rmtree(built, ignore_errors=True)
        shutil.copytree(build(Path(folder)), built)
    shutil.rmtree(_SITE, ignore_errors=True)
    built.rename(_SITE)


def build(folder: Path) -> Path:
    """Builds the site below an empty folder, and returns its place there."""
    _write_sources(folder)
    command = [sys.executable, "-m", "zensical", "build", "--config-file", _CONFIG]
    subprocess.run(command, cwd=folder, check=True)  # noqa: S603  a fixed command
    return folder / "site"


def _write_sources(folder: Path) -> None:
    shutil.copytree(ROOT / "docs", folder / "docs")
    shutil.copytree(ROOT / "examples", folder / "docs" / "examples")
    for name, text in reference_pages().items():
        _write(folder / "docs" / "reference" / name, text)
    for page in (folder / "docs").glob("*.md"):
        _write(
            page,
            page.read_text(encoding="utf-8")
            .replace("](../examples)", "](examples/README.md)")
            .replace("](../examples/", "](examples/"),
        )
    examples = folder / "docs" / "examples" / "README.md"
    _write(examples, examples.read_text(encoding="utf-8").replace("](../docs/", "](../"))
    shutil.copy(ROOT / _CONFIG, folder)


def pages_in_navigation(entries: Any = None) -> Iterator[str]:
    """The paths of pages that the navigation leads to."""
    entries = yaml.safe_load((ROOT / _CONFIG).read_text())["nav"] if entries is None else entries
    for entry in entries:
        if isinstance(entry, str):
            yield entry
        else:
            for below in entry.values():
                yield from [below] if isinstance(below, str) else pages_in_navigation(below)


def _write(page: Path, text: str) -> None:
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
