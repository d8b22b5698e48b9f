"""Every page of the dashboard, and the lists of the API, with a long history behind them: time of the answer, time of
the processor in the web server and in PostgreSQL, weight on the wire.

`python -m bench.pages [--executions N] [--folder F] [--only TEXT] [--visits N]`. Writing the history takes minutes; in
F it stays for the next time, which then only measures. On a busy machine look at the two columns of the processor, and
at ratios.
"""

from __future__ import annotations

import argparse
import re
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import requests

from bench.history import KEPT, Size, keep_history
from bench.page_list import Known, Page, pages
from bench.product import Product, running

VISITS = 60
WARM_UP = 5
"""Visits of each page that are not counted."""
NAME, PASSWORD = "bench", "bench-password"
_ASSET = re.compile(r'(?:href|src)="(/static/[^"#]+)')


@dataclass(slots=True)
class Measured:
    seconds: list[float] = field(default_factory=list)
    web: float = 0
    """Seconds of the processor for one visit, in the web server."""
    database: float = 0
    """The same in PostgreSQL."""
    size: int = 0
    """Bytes, compressed where the server does."""


class Visitor:
    """A signed-in user, with a browser for the pages and a token for the API."""

    def __init__(self, product: Product, token: dict[str, str]) -> None:
        self._product, self._token = product, token
        self._session = requests.Session()
        page = self._session.get(f"{product.url}/sign-in", timeout=30).text
        csrf = re.findall(r'name="csrf_token" value="([^"]+)"', page)[0]
        form = {"csrf_token": csrf, "username": NAME, "password": PASSWORD}
        self._session.post(f"{product.url}/sign-in", data=form, timeout=30).raise_for_status()

    def get(self, path: str) -> tuple[float, requests.Response]:
        headers = self._token if path.startswith("/api/") else {}
        begun = time.perf_counter()
        answer = self._session.get(self._product.url + path, headers=headers, timeout=60, allow_redirects=False)
        taken = time.perf_counter() - begun
        if answer.status_code != 200:
            raise RuntimeError(f"{path} answers {answer.status_code}")
        return taken, answer

    def ask(self, path: str) -> Any:
        return self.get(path)[1].json()

    def weight(self, path: str) -> int:
        """Bytes on the wire, of the page and of all it loads."""
        _, page = self.get(path)
        assets = set(_ASSET.findall(page.text))
        return sum(self._wire_size(each) for each in (path, *sorted(assets)))

    def _wire_size(self, path: str) -> int:
        headers = self._token if path.startswith("/api/") else {}
        with self._session.get(self._product.url + path, headers=headers, stream=True, timeout=30) as answer:
            return len(answer.raw.read(decode_content=False))


class Processors:
    """Seconds of the processor that the processes of the web server, and those of PostgreSQL, have used."""

    def __init__(self, product: Product) -> None:
        own = product.processes()
        self._web = [one for one in own if "gunicorn" in " ".join(one.cmdline())]
        self._postmasters = [one for one in own if one.name() == "postgres"]

    def used(self) -> tuple[float, float]:
        backends = [child for one in self._postmasters for child in one.children()]
        return sum(map(_seconds, self._web)), sum(map(_seconds, (*self._postmasters, *backends)))


def _seconds(process: psutil.Process) -> float:
    """Those of children that have ended count, too."""
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return times.user + times.system + times.children_user + times.children_system


def visit(visitor: Visitor, processors: Processors, page: Page, visits: int) -> Measured:
    measured = Measured()
    for number in range(WARM_UP):
        visitor.get(page.paths[number % len(page.paths)])
    web, database = processors.used()
    for number in range(WARM_UP, WARM_UP + visits):
        taken, _ = visitor.get(page.paths[number % len(page.paths)])
        measured.seconds.append(taken)
    web_after, database_after = processors.used()
    measured.web = (web_after - web) / len(measured.seconds)
    measured.database = (database_after - database) / len(measured.seconds)
    measured.size = visitor.weight(page.paths[0])
    return measured


@contextmanager
def with_history(size: Size, kept: Path | None) -> Iterator[Product]:
    with tempfile.TemporaryDirectory(prefix="flowforge-bench-") as temporary:
        home = (kept or Path(temporary)) / "home"
        keep_history(home, size)
        with running(home, KEPT) as product:
            yield product


def main() -> None:
    wanted = _arguments()
    with with_history(Size(executions=wanted.executions), wanted.folder) as product:
        visitor, processors = Visitor(product, product.sign_in()), Processors(product)
        print(f"{'page':<46}{'p50':>8}{'p95':>8} ms{'web':>8}{'postgres':>10} ms{'KB':>8}")
        for page in pages(Known.asked(visitor.ask)):
            if wanted.only in page.name:
                _print(page, visit(visitor, processors, page, wanted.visits))


def _arguments() -> Any:
    parser = argparse.ArgumentParser(prog="python -m bench.pages", description=__doc__)
    parser.add_argument("--executions", type=int, default=Size().executions, help="how many, where they are written")
    parser.add_argument("--folder", type=lambda path: Path(path).resolve(), help="where the history is kept")
    parser.add_argument("--visits", type=int, default=VISITS, help="how many of each page")
    parser.add_argument("--only", default="", help="only pages with this text in their names")
    return parser.parse_args()


def _print(page: Page, measured: Measured) -> None:
    cuts = statistics.quantiles(measured.seconds, n=20)
    times = (
        f"{cuts[9] * 1000:>8.1f}{cuts[18] * 1000:>8.1f}   {measured.web * 1000:>8.1f}{measured.database * 1000:>10.1f}"
    )
    print(f"{page.name:<46}{times}   {measured.size / 1024:>8.1f}", flush=True)


if __name__ == "__main__":
    main()
