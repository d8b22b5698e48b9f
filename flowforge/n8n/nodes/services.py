"""Nodes of services that stand in tables: a file in `flowforge/n8n/services/` for each, named as its node is in n8n,
says which step each of its operations becomes: one of ours, or a call of the service's API.

A text in it that begins with `@` is a parameter of the node, as text; with `!` one that has to be there; with `#` one
with its type; with `$` a binary property that a parameter names. `@{...}` stands inside longer texts. What turns out
empty is left out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any

import yaml

from flowforge.n8n.asking import Asked, Left
from flowforge.n8n.data import Data, Output
from flowforge.n8n.nodes import node

Row = Mapping[str, Any]
_FOLDER = Path(__file__).parents[1] / "services"
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INSIDE = re.compile(r"@\{([\w.]+)(?:=([^}]*))?\}")
_ADDRESS = re.compile(r"(?:GET|POST|PUT|PATCH|DELETE) ")


@cache
def services() -> Mapping[str, Row]:
    """By the types of their nodes: the name of the file, or those under `nodes` where there are several."""
    return {
        type_: service
        for file in sorted(_FOLDER.glob("*.yaml"))
        for service in [_read(file)]
        for type_ in service.get("nodes", [file.stem])
    }


def _read(file: Path) -> Row:
    service: Row = yaml.load(file.read_text(encoding="utf-8"), Loader=_LOADER)  # noqa: S506  a safe one
    return service


def by_table(type_: str, asked: Asked) -> Output:
    """Raises Left for an operation that is not in the table."""
    return _map(services()[type_], asked)


def _map(service: Row, asked: Asked) -> Output:
    key = _operation(service, asked)
    row = service["operations"].get(key)
    if row is None:
        raise Left(f"the operation '{key}' of {service['title']} has no counterpart: use an HTTP_REQUEST step")
    for remark in (service.get("note"), row.get("note") if isinstance(row, dict) else None):
        if remark:
            asked.note(remark)
    return _done(service, row if isinstance(row, dict) else {"call": row}, asked)


def _operation(service: Row, asked: Asked) -> str:
    resource, operation = service.get("default", "/").split("/")
    chosen = asked.choice("resource", resource)
    named = asked.choice("operation", service.get("defaults", {}).get(chosen, operation))
    return f"{chosen}/{named}"


def _done(service: Row, row: Row, asked: Asked) -> Output:
    connection = {"connection": asked.connection(service["title"])} if service.get("signs", True) else {}
    call = row["call"]
    config = _filled(asked, row.get("config", {}))
    if _ADDRESS.match(call):
        method, address = call.split(" ", 1)
        url = _text(asked, f"{service.get('url', '')}{address}" if address.startswith("/") else address)
        config = {"url": url, "method": method, **service.get("request", {}), **config, **connection}
        return _given(row, asked.step("HTTP_REQUEST", config), "body")
    return _given(row, asked.step(call, {**config, **connection}), "")


def _given(row: Row, path: str, body: str) -> Output:
    whole = f"{path}.{body}".rstrip(".")
    gives = str(row.get("gives", ""))
    if row.get("file"):
        file = f"{path}.{row['file']}"
        return Output(Data(path), any_file=file)
    if row.get("many"):
        return Output(many=f"{whole}.{gives}".rstrip("."), renamed=row.get("renamed", {}))
    return Output(Data(f"{whole}.{gives}".rstrip("."), renamed=row.get("renamed", {}), unlike=bool(row.get("unlike"))))


def _filled(asked: Asked, written: Any) -> Any:
    """A part of the table with the parameters in their places."""
    if isinstance(written, dict):
        filled = {key: _filled(asked, value) for key, value in written.items()}
        return {key: value for key, value in filled.items() if value not in (None, "", {}, [])}
    if isinstance(written, list):
        return [value for value in (_filled(asked, member) for member in written) if value not in (None, "")]
    return _value(asked, written) if isinstance(written, str) else written


def _value(asked: Asked, written: str) -> Any:
    path, _, default = written[1:].partition("=")
    if written == "@item":
        return asked.item
    if written == "@items":
        return asked.braced(asked.given.items)
    if written.startswith("@") and not written.startswith("@{"):
        return asked.text(path, default)
    if written.startswith("!"):
        return asked.needed(asked.text(path, default), f"'{path}'", "fill-it-in")
    if written.startswith("#"):
        return asked.value(path, default or None)
    if written.startswith("$"):
        return asked.file(str(asked.raw(path, default or "data")))
    return _text(asked, written)


def _text(asked: Asked, written: str) -> str:
    return _INSIDE.sub(lambda found: asked.text(found[1], found[2] or ""), written)


for _type, _service in services().items():
    if not _service.get("in_code"):
        node(_type)(partial(_map, _service))
