"""Files of n8n's: a workflow, several in a list, or one inside the answer of an API. What is old or odd is forgiven.

https://docs.n8n.io/workflows/export-import/
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any

from flowforge import jsonio
from flowforge.errors import Invalid
from flowforge.jsonio import JsonObject
from flowforge.n8n.model import Link, Node, Workflow
from flowforge.sentences import Count, message_of, sentence
from flowforge.time_zones import zone_names

MAX_BYTES = 10_000_000
MAX_WORKFLOWS = 200
MAX_NODES = 1_000
MAX_LINKS = 5_000
MAX_DEPTH = 100
_LONGEST_NAME = 200
_LONGEST_NOTE = 5_000
_STICKY_NOTE = "n8n-nodes-base.stickyNote"
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]+")
_HALVES = re.compile(r"[\x00\ud800-\udfff]")


def read(data: bytes) -> list[Workflow]:
    """The workflows in a file. Raises Invalid where it holds none, or more than the limits allow."""
    if len(data) > MAX_BYTES:
        raise Invalid.at("", sentence("the file has more than %(most)s bytes", most=Count(MAX_BYTES)))
    found = list(_workflows_in(_decoded(data)))
    if not found:
        raise Invalid.at("", sentence("this is no workflow of n8n's: it has no list of nodes"))
    if len(found) > MAX_WORKFLOWS:
        raise Invalid.at(
            "",
            sentence(
                "the file has %(count)s workflows; at most %(most)s are read",
                count=Count(len(found)),
                most=MAX_WORKFLOWS,
            ),
        )
    return [_workflow(raw, pointer) for pointer, raw in found]


def _decoded(data: bytes) -> Any:
    try:
        decoded = jsonio.loads(data.removeprefix(b"\xef\xbb\xbf"))
    except ValueError as error:
        raise Invalid.at(
            "", sentence("the file is not JSON, or was cut off: %(error)s", error=message_of(error))
        ) from error
    if _is_deep(decoded):
        raise Invalid.at("", sentence("the file is nested more than %(most)s levels deep", most=MAX_DEPTH))
    return decoded


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(MAX_DEPTH):
        level = list(chain.from_iterable(_members(part) for part in level))
        if not level:
            return False
    return True


def _members(part: Any) -> Iterator[Any]:
    inner = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
    return (member for member in inner if isinstance(member, dict | list))


def _workflows_in(raw: Any, pointer: str = "", depth: int = 0) -> Iterator[tuple[str, JsonObject]]:
    """Each workflow, with a pointer to it: the file itself, the members of a list, or what an API wraps."""
    if isinstance(raw, dict) and isinstance(raw.get("nodes"), list):
        yield pointer, raw
    elif isinstance(raw, list):
        for number, member in enumerate(raw):
            yield from _workflows_in(member, f"{pointer}/{number}", depth + 1) if depth < 2 else ()
    elif isinstance(raw, dict):
        for key in ("workflow", "data", "workflows"):
            yield from _workflows_in(raw.get(key), f"{pointer}/{key}", depth + 1) if depth < 3 else ()


def _workflow(raw: JsonObject, pointer: str) -> Workflow:
    if len(raw["nodes"]) > MAX_NODES:
        raise Invalid.at(
            f"{pointer}/nodes",
            sentence(
                "has %(count)s nodes; at most %(most)s are read", count=Count(len(raw["nodes"])), most=Count(MAX_NODES)
            ),
        )
    remarks: list[str] = []
    written = [node for node in raw["nodes"] if isinstance(node, dict) and isinstance(node.get("type"), str)]
    if len(written) < len(raw["nodes"]):
        remarks.append(
            sentence("%(count)s entries of the list of nodes are no nodes", count=len(raw["nodes"]) - len(written))
        )
    nodes: dict[str, Node] = {}
    for node in written:
        read = _node(node)
        if read.name in nodes:
            remarks.append(sentence("two nodes are called '%(name)s'; the second was left out", name=read.name))
        elif read.type != _STICKY_NOTE:
            nodes[read.name] = read
    links = _links(raw.get("connections"), nodes, remarks, pointer)
    notes = [_note(node) for node in written if node["type"] == _STICKY_NOTE]
    zone = _zone(_object(raw.get("settings")).get("timezone"), remarks)
    return Workflow(
        _name(raw.get("name")) or "Imported workflow",
        nodes,
        links,
        _pins(raw.get("pinData"), nodes),
        [note for note in notes if note],
        zone,
        _name(raw.get("id")),
        remarks,
    )


_FIXED_ZONES = {"EST": "Etc/GMT+5", "MST": "Etc/GMT+7", "HST": "Pacific/Honolulu"}
"""Abbreviations that schedules refuse, as zones of the same clocks."""
_USUAL_ZONES = (None, "", "DEFAULT")
"""A workflow that has none of its own."""


def _zone(written: Any, remarks: list[str]) -> str | None:
    zone = _FIXED_ZONES.get(written, written) if isinstance(written, str) else written
    if isinstance(zone, str) and zone in zone_names():
        return zone
    if zone not in _USUAL_ZONES:
        remarks.append(sentence("the time zone '%(zone)s' is not known; it is UTC now", zone=zone))
    return None


def _node(raw: JsonObject) -> Node:
    error = raw.get("onError")
    if not isinstance(error, str):
        error = "continueRegularOutput" if raw.get("continueOnFail") is True else "stopWorkflow"
    return Node(
        _name(raw.get("name")) or raw["type"].rsplit(".", 1)[-1],
        raw["type"][:_LONGEST_NAME],
        _number(raw.get("typeVersion"), 1.0),
        _object(_plain(raw.get("parameters"))),
        dict(_credentials(_object(raw.get("credentials")))),
        raw.get("disabled") is True,
        error,
        int(_number(raw.get("maxTries"), 3.0)) if raw.get("retryOnFail") is True else 1,
        _number(raw.get("waitBetweenTries"), 1_000.0) / 1_000,
        raw.get("executeOnce") is True,
        _text(raw.get("notes"))[:_LONGEST_NOTE],
        _text(raw.get("webhookId")),
    )


def _plain(raw: Any) -> Any:
    """Parameters without the sign of an expression where there is none in it: `=GET` is `GET`."""
    if isinstance(raw, dict):
        return {key: _plain(member) for key, member in raw.items()}
    if isinstance(raw, list):
        return [_plain(member) for member in raw]
    is_plain = isinstance(raw, str) and raw.startswith("=") and "{{" not in raw and not raw.startswith("==")
    return raw[1:] if is_plain else raw


def _credentials(raw: JsonObject) -> Iterator[tuple[str, str]]:
    """Old files have the name alone, newer ones `{id, name}`."""
    for type_, named in raw.items():
        name = named.get("name") if isinstance(named, dict) else named
        yield type_, _name(name) or type_


def _links(connections: Any, nodes: Mapping[str, Node], remarks: list[str], pointer: str) -> list[Link]:
    links: list[Link] = []
    for source, kinds in _object(connections).items():
        for kind, outputs in _object(kinds).items():
            links += [link for link in _links_of(_name(source), kind, outputs) if link.source in nodes]
    if len(links) > MAX_LINKS:
        raise Invalid.at(
            f"{pointer}/connections",
            sentence(
                "has %(count)s connections; at most %(most)s are read", count=Count(len(links)), most=Count(MAX_LINKS)
            ),
        )
    usable = [link for link in links if link.target in nodes]
    if len(usable) < len(links):
        remarks.append(
            sentence("%(count)s connections lead to nodes that do not exist", count=len(links) - len(usable))
        )
    return list(dict.fromkeys(usable))


def _links_of(source: str, kind: str, outputs: Any) -> Iterator[Link]:
    for output, targets in enumerate(outputs if isinstance(outputs, list) else ()):
        for target in targets if isinstance(targets, list) else ():
            if isinstance(target, dict):
                number = int(_number(target.get("index"), 0.0))
                yield Link(source, output, _name(target.get("node")), max(0, min(number, MAX_NODES)), kind)


def _pins(raw: Any, nodes: Mapping[str, Node]) -> dict[str, list[Any]]:
    pins = {_name(name): items for name, items in _object(raw).items() if isinstance(items, list)}
    return {name: [_json_of(item) for item in items] for name, items in pins.items() if name in nodes}


def _json_of(item: Any) -> Any:
    """The JSON of an item; old files have it without the frame around it."""
    return item["json"] if isinstance(item, dict) and isinstance(item.get("json"), dict) else item


def _note(raw: JsonObject) -> str:
    return _text(_object(raw.get("parameters")).get("content")).strip()[:_LONGEST_NOTE]


def _object(raw: Any) -> JsonObject:
    return raw if isinstance(raw, dict) else {}


def _text(raw: Any) -> str:
    return _HALVES.sub("", raw) if isinstance(raw, str) else ""


def _name(raw: Any) -> str:
    """A name on one line, as links and expressions use it."""
    return _CONTROL.sub(" ", raw)[:_LONGEST_NAME] if isinstance(raw, str) else ""


def _number(raw: Any, otherwise: float) -> float:
    is_number = isinstance(raw, int | float) and not isinstance(raw, bool) and math.isfinite(raw) and raw >= 0
    return float(min(raw, 1e9)) if is_number else otherwise
