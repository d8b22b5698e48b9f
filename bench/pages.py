"""Every page of the dashboard with a long history behind it: time of the server, weight on the wire.
`python -m bench.pages [executions [folder]]`; 1,000 workflows, five log lines for each execution, all of one user.
Writing them takes minutes; in `folder` they stay for the next time."""

from __future__ import annotations

import re
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from bench.history import Size, write_history
from bench.product import Product, running
from flowforge.embedded.postgres import running_postgres

VISITS = 60
"""Of each page; the first five are not counted."""
WARM_UP = 5
NAME, PASSWORD = "bench", "bench-password"
_ASSET = re.compile(r'(?:href|src)="(/static/[^"#]+)')


@dataclass(slots=True)
class Page:
    name: str
    paths: Sequence[str]
    """Visited in turn."""
    seconds: list[float] = field(default_factory=list)
    size: int = 0
    """Bytes, compressed where the server does."""


class Visitor:
    """A signed-in user."""

    def __init__(self, product: Product) -> None:
        self._product = product
        self._session = requests.Session()
        page = self._session.get(f"{product.url}/sign-in", timeout=30).text
        token = re.findall(r'name="csrf_token" value="([^"]+)"', page)[0]
        form = {"csrf_token": token, "username": NAME, "password": PASSWORD}
        self._session.post(f"{product.url}/sign-in", data=form, timeout=30).raise_for_status()

    def get(self, path: str) -> tuple[float, requests.Response]:
        begun = time.perf_counter()
        answer = self._session.get(self._product.url + path, timeout=60, allow_redirects=False)
        taken = time.perf_counter() - begun
        if answer.status_code != 200:
            raise RuntimeError(f"{path} answers {answer.status_code}")
        return taken, answer

    def weight(self, path: str) -> int:
        """Bytes on the wire, of the page and of all it loads."""
        _, page = self.get(path)
        assets = set(_ASSET.findall(page.text))
        return sum(self._wire_size(each) for each in (path, *sorted(assets)))

    def _wire_size(self, path: str) -> int:
        with self._session.get(self._product.url + path, stream=True, timeout=30) as answer:
            return len(answer.raw.read(decode_content=False))


def pages(product: Product, headers: dict[str, str]) -> Iterator[Page]:
    def ask(path: str) -> Any:
        return requests.get(product.url + path, headers=headers, timeout=60).json()

    listed = ask("/api/v1/executions?size=100")["content"]
    executions = [row["id"] for row in listed[41:]]
    workflows = list(dict.fromkeys(row["workflowId"] for row in listed))
    yield Page("home", ["/"])
    yield Page("home, 7 days", ["/?last=7d"])
    yield Page("workflows", ["/workflows"])
    yield Page("workflows, by text", ["/workflows?q=99"])
    yield Page("workflows, by last run", ["/workflows?sort=lastRun"])
    yield Page("workflows, by name", ["/workflows?sort=name"])
    yield Page("one workflow", [f"/workflows/{one}" for one in workflows])
    yield Page("executions", ["/executions"])
    yield Page("executions, oldest first", ["/executions?order=oldest"])
    yield Page("executions, failed", ["/executions?status=FAILED"])
    yield Page("executions, completed", ["/executions?status=COMPLETED&last=7d"])
    yield Page("executions, of one workflow", [f"/executions?workflow={one}" for one in workflows])
    yield Page("executions, failed of one", [f"/executions?workflow={one}&status=FAILED" for one in workflows])
    yield Page("executions, by text", ["/executions?q=nothing-has-this"])
    yield Page("executions, old", [_deep(ask, listed)])
    yield Page("one execution", [f"/executions/{one}" for one in executions])
    yield Page("failed messages", ["/failed-messages"])
    yield Page("settings", ["/settings"])


def _deep(ask: Callable[[str], Any], listed: Sequence[Any]) -> str:
    """The address of a page two weeks back in the list of executions."""
    return "/executions?until=2020-01-01T00:00" if not listed else f"/executions?until={listed[-1]['createdAt'][:16]}"


def visit(visitor: Visitor, page: Page) -> None:
    for number in range(VISITS):
        taken, _ = visitor.get(page.paths[number % len(page.paths)])
        if number >= WARM_UP:
            page.seconds.append(taken)
    page.size = visitor.weight(page.paths[0])


@contextmanager
def with_history(size: Size, kept: Path | None) -> Iterator[tuple[Product, dict[str, str]]]:
    with (
        tempfile.TemporaryDirectory(prefix="flowforge-bench-") as temporary,
        running_postgres((kept or Path(temporary)) / "database") as url,
        running((kept or Path(temporary)) / "home", {"POSTGRES_URL": url}) as product,
    ):
        account = {"username": NAME, "password": PASSWORD}
        signed_in = requests.post(f"{product.url}/auth/login", json=account, timeout=30)
        if signed_in.ok:
            yield product, {"Authorization": f"Bearer {signed_in.json()['access_token']}"}
            return
        headers = product.register(NAME)
        me = requests.get(f"{product.url}/auth/me", headers=headers, timeout=30).json()
        begun = time.perf_counter()
        write_history(url, me["id"], size)
        print(f"{size.executions:,} executions written in {time.perf_counter() - begun:.0f} s")
        yield product, headers


def main() -> None:
    executions = int(sys.argv[1]) if len(sys.argv) > 1 else Size().executions
    kept = Path(sys.argv[2]).resolve() if len(sys.argv) > 2 else None
    with with_history(Size(executions=executions), kept) as (product, headers):
        visitor = Visitor(product)
        print(f"{'page':<30}{'p50':>8}{'p95':>8} ms{'KB':>8}")
        for page in pages(product, headers):
            visit(visitor, page)
            cuts = statistics.quantiles(page.seconds, n=20)
            print(
                f"{page.name:<30}{cuts[9] * 1000:>8.1f}{cuts[18] * 1000:>8.1f}   {page.size / 1024:>8.1f}", flush=True
            )


if __name__ == "__main__":
    main()
