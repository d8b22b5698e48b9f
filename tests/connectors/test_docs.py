"""The example of docs/connectors.md works as it stands there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from pytest_httpserver import HTTPServer

from flowforge.connectors.sdk import Connector, StepContext

PAGE = Path(__file__).resolve().parents[2] / "docs" / "connectors.md"


def test_the_example_is_a_connector(httpserver: HTTPServer, context: StepContext) -> None:
    code = re.search(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert code is not None
    module: dict[str, Any] = {"__name__": "example"}
    exec(compile(code[1], str(PAGE), "exec"), module)
    example = next(value for value in module.values() if isinstance(value, Connector))
    httpserver.expect_request("/hook", json={"content": "hi"}).respond_with_data("")
    output = example.run(example.parse({"url": httpserver.url_for("/hook"), "text": "hi"}), context)
    assert output == {"statusCode": 200}
    assert set(example.secret_keys()) == {"url"}
