"""docs/first-workflow.md, run as it stands."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from bench.product import running
from tests.e2e.receiver import receiving

PAGE = Path(__file__).resolve().parents[2] / "docs" / "first-workflow.md"


@pytest.mark.slow
def test_the_page_says_what_happens(tmp_path: Path) -> None:
    page = PAGE.read_text()
    script = "\n".join(re.findall(r"```sh\n(.*?)```", page, re.DOTALL))
    printed = re.findall(r"```\n\n((?:    .*\n)+)", page)
    expected = [line.strip() for block in printed for line in block.splitlines()]
    with receiving() as receiver, running(tmp_path / "home") as product:
        here = script.replace("http://localhost:8080", product.url).replace("http://127.0.0.1:9000", receiver.url)
        run = subprocess.run(["bash", "-c", here], capture_output=True, text=True, timeout=60, check=False)
    assert [line.strip() for line in run.stdout.splitlines()] == expected, run.stderr
    assert [(call.path, call.body) for call in receiver.calls] == [
        ("/orders", {"order": 17}),
        ("/slack", {"text": "Order 17 is record 42"}),
    ]
