"""Routes: their addresses are those of Werkzeug's own rules, and take no work before one is built."""

from __future__ import annotations

from types import CodeType
from typing import Any

import pytest
from flask import Flask
from werkzeug.routing import Map, Rule, UUIDConverter

from webapp.routing import LazyRule

VALUES = {"text": "a b/ü", "number": 7, "path": "a/b c", "id": "01a227a2-94b3-7a39-87c4-5d8d77ce05c3"}
RULES = ["/", "/things/<text>", "/things/<int:number>/of/<path:path>", "/things/<uuid:id>"]


def addresses(kind: type[Rule], rule: str) -> list[str]:
    routes = Map([kind(rule, endpoint="it")], converters={"uuid": UUIDConverter}).bind("x.test")
    named = {name: value for name, value in VALUES.items() if name in rule}
    more: list[dict[str, Any]] = [{}, {"q": "1 2", "page": [1, 2]}]
    return [routes.build("it", named | extra, append_unknown=unknown) for extra in more for unknown in (True, False)]


@pytest.mark.parametrize("rule", RULES)
def test_addresses_are_those_of_werkzeug(rule: str) -> None:
    assert addresses(LazyRule, rule) == addresses(Rule, rule)


def test_adding_a_route_compiles_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    compile_function, compiled = Rule._get_func_code, []

    def counted(code: CodeType, name: str) -> Any:
        compiled.append(name)
        return compile_function(code, name)

    monkeypatch.setattr(Rule, "_get_func_code", staticmethod(counted))
    lazy = Map([LazyRule("/things/<text>", endpoint="it")]).bind("x.test")
    assert compiled == []
    for _ in range(2):
        lazy.build("it", {"text": "a"})
    assert len(compiled) == 1
    Map([Rule("/", endpoint="it")])
    assert len(compiled) == 3


def test_every_route_is_of_that_kind(app: Flask) -> None:
    assert {type(rule) for rule in app.url_map.iter_rules() if rule.endpoint != "static"} == {LazyRule}
