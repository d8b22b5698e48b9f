"""Listening for a test call: the next payload is shown as it came."""

from __future__ import annotations

import re
from html import unescape

from flowforge.wiring import Backends
from tests.engine.pipeline import working
from tests.ui.conftest import Browser
from tests.ui.test_pages import created
from tests.waiting import eventually


def test_the_next_call_is_shown_with_what_it_brought(ada: Browser, backends: Backends) -> None:
    path = created(ada, {"name": "Hook", "trigger": {"type": "webhook"}, "actions": []})
    begun = ada.get(f"{path}/build/heard").text
    assert "Listening" in begun
    [again] = re.findall(r'hx-get="([^"]+)"', begun)
    assert "Listening" in ada.get(unescape(again)).text
    [address] = set(re.findall(r"(/webhook/[\w-]+)", ada.get(path).text))
    assert ada.client.post(address, json={"name": "Grace"}).status_code == 200
    with working(backends):
        heard = eventually(lambda: "Grace" in (text := ada.get(unescape(again)).text) and text)
    assert "A request came in" in heard
    assert "hx-trigger" not in heard, "it has stopped asking"


def test_it_ends_by_itself(ada: Browser) -> None:
    path = created(ada, {"name": "Hook", "trigger": {"type": "webhook"}, "actions": []})
    assert "No request came in" in ada.get(f"{path}/build/heard?since=none&until=1").text
