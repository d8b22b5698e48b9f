"""Nodes that decide where an item goes on: If, Filter, Switch."""

from __future__ import annotations

from flowforge.jsonio import JsonObject
from flowforge.n8n.asking import Asked, Fork, Way
from flowforge.n8n.conditions import condition, written
from flowforge.n8n.nodes import node
from flowforge.sentences import sentence


@node("if")
def if_(asked: Asked) -> Fork:
    holds = _holds(asked)
    return Fork([Way(0, holds, "true"), Way(1, None, "false")])


@node("filter")
def filter_(asked: Asked) -> Fork:
    return Fork([Way(0, _holds(asked), "kept")])


def _holds(asked: Asked) -> str:
    if not asked.raw("conditions"):
        asked.note(sentence("its conditions are missing in the file: fill them in"))
    return asked.values.fits(condition(asked, asked.raw("conditions", {})))


@node("switch")
def switch(asked: Asked) -> Fork:
    if asked.raw("mode", "rules") == "expression":
        return _by_number(asked)
    return _by_rules(asked) if asked.node.version >= 3 else _by_old_rules(asked)


def _by_number(asked: Asked) -> Fork:
    number = asked.bare(asked.raw("output", 0))
    outputs = {link.output for link in asked.workflow.links_from(asked.node.name)}
    return Fork([Way(output, asked.values.fits(f"({number}) == {output}"), str(output)) for output in sorted(outputs)])


def _by_rules(asked: Asked) -> Fork:
    rows = asked.rows("rules.values") or asked.rows("rules.rules")
    ways = [
        Way(number, asked.values.fits(condition(asked, row.get("conditions", {}))), _name(row, number))
        for number, row in enumerate(rows)
    ]
    fallback = asked.raw("options.fallbackOutput", "none")
    if fallback == "extra":
        ways.append(Way(len(rows), None, "else"))
    elif isinstance(fallback, int):
        ways.append(Way(fallback, None, "else"))
    return _fork(asked, ways, all_that_hold=asked.raw("options.allMatchingOutputs") is True)


def _name(row: JsonObject, number: int) -> str:
    key = row.get("outputKey")
    return key if isinstance(key, str) and key.strip() and not key.startswith("=") else str(number)


def _by_old_rules(asked: Asked) -> Fork:
    """Of versions 1 and 2: one value, compared with one after another."""
    kind = asked.choice("dataType", "number")
    value = asked.bare(asked.raw("value1", ""))
    ways = [_old_way(asked, row, kind, value, number) for number, row in enumerate(asked.rows("rules.rules"))]
    fallback = asked.raw("fallbackOutput", -1)
    if isinstance(fallback, int) and fallback >= 0:
        ways.append(Way(fallback, None, "else"))
    return _fork(asked, ways)


def _old_way(asked: Asked, row: JsonObject, kind: str, value: str, number: int) -> Way:
    output = row.get("output", number)
    if not isinstance(output, int):
        output = number
    operation = str(row.get("operation", "equal"))
    holds = written(operation, kind, value, asked.bare(row.get("value2", "")))
    return Way(output, asked.values.fits(holds), _name(row, number))


def _fork(asked: Asked, ways: list[Way], *, all_that_hold: bool = False) -> Fork:
    if not any(way.when for way in ways):
        asked.note(sentence("its rules are missing in the file: fill them in"))
        outputs = sorted({link.output for link in asked.workflow.links_from(asked.node.name)}) or [0]
        ways = [Way(output, "false", str(output)) for output in outputs]
    if all_that_hold and any(way.when is None for way in ways):
        none = " and ".join(f"not ({way.when})" for way in ways if way.when)
        ways = [Way(way.output, way.when or none, way.name) for way in ways]
    return Fork(ways, all_that_hold)
