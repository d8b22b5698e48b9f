"""Nodes of services that stand in tables: a file in `flowforge/n8n/services/` for each, named as its node is in n8n,
says which step each of its operations becomes: one of ours, or a call of the service's API.

A file holds (marks in texts: see service_rows.py)

    nodes        types of nodes, where it is not the name of the file alone
    title        the service, as people call it; of its connection, too, unless `signs` is false
    url          what addresses that begin with / follow
    default      the resource and the operation of a node that names none, as n8n leaves out what is its default;
    defaults     the operation of each other resource
    by           the parameters that choose the operation, where they are not resource and operation
    note         what is nearly the same only, or to be filled in; also of a row
    request      what all requests have; `pages`: how lists are paged (`size`: items on a page); `without`: parameters
                 that make no difference here
    operations   a row for each, by resource/operation; or several, each for nodes whose parameters are as `when` says

and a row, which may be its `call` alone,

    call         METHOD /address, or the type of a step of ours
    config       what else the step is given
    gives        where in the answer that stands which n8n gives; `many`: a list of items; `file`: a file;
                 `renamed`: fields by n8n's names; `unlike`: n8n gives other fields; `whole`: not paged
    script       JavaScript that makes of `answer` what n8n gives, where the answer has another form
    before       calls that are made before it, by names under which their outputs are used; `after`: behind it
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

import yaml

from flowforge.jsonio import JsonObject
from flowforge.n8n.asking import Asked, only_by_request
from flowforge.n8n.data import Data, Output
from flowforge.n8n.nodes import node
from flowforge.n8n.service_rows import Row
from flowforge.sentences import Count, sentence

Table = Mapping[str, Any]
_FOLDER = Path(__file__).parents[1] / "services"
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_ADDRESS = re.compile(r"(?:GET|POST|PUT|PATCH|DELETE) ")
_MOST_NAMED = 8


@cache
def services() -> Mapping[str, Table]:
    """By the types of their nodes: the name of the file, or those under `nodes` where there are several."""
    return {
        type_: service
        for file in sorted(_FOLDER.glob("*.yaml"))
        for service in [_read(file)]
        for type_ in service.get("nodes", [file.stem])
    }


def _read(file: Path) -> Table:
    service: Table = yaml.load(file.read_text(encoding="utf-8"), Loader=_LOADER)  # noqa: S506  a safe one
    return service


def notes() -> Iterator[tuple[str, str]]:
    """The notes of all tables, each with the type of its node."""
    for type_, service in services().items():
        for held in (service, *_rows(service)):
            if note := held.get("note"):
                yield type_, note


def _rows(service: Table) -> Iterator[Table]:
    for row in service["operations"].values():
        yield from (each for each in (row if isinstance(row, list) else [row]) if isinstance(each, dict))


def by_table(type_: str, asked: Asked) -> Output:
    """Raises Left for an operation that is not in the table."""
    return _map(services()[type_], asked)


def _map(service: Table, asked: Asked) -> Output:
    row = _row(service, asked)
    for remark in (service.get("note"), row.get("note")):
        if remark:
            asked.note(sentence(remark))
    return _done(service, row, asked)


def _row(service: Table, asked: Asked) -> Table:
    key = _operation(service, asked)
    rows = service["operations"].get(key)
    for row in rows if isinstance(rows, list) else [rows]:
        if isinstance(row, str):
            return {"call": row}
        if row is not None and _fits(row.get("when", {}), asked):
            return dict(row)
    raise only_by_request(key, service["title"])


def _fits(when: Mapping[str, Any], asked: Asked) -> bool:
    return all(asked.raw(path) in (wanted if isinstance(wanted, list) else [wanted]) for path, wanted in when.items())


def _operation(service: Table, asked: Asked) -> str:
    first, *others = service.get("by", ["resource", "operation"])
    default, *inner = str(service.get("default", "/")).split("/")
    chosen = asked.choice(first, default)
    named = [asked.choice(name, service.get("defaults", {}).get(chosen, inner[0])) for name in others]
    return "/".join([chosen, *named])


def _done(service: Table, row: Table, asked: Asked) -> Output:
    wants_all = asked.raw("returnAll") is True and row.get("many") and not row.get("whole")
    pages = dict(row.get("pages", service.get("pages", {}))) if wants_all else {}
    size = pages.pop("size", 100)
    filling = Row(asked, {"limit": size} if wants_all else {})
    for name, first in row.get("before", {}).items():
        filling.steps[name] = _step(service, first, filling, {})
    path = _step(service, row, filling, _paging(row, pages))
    for last in row.get("after", ()):
        _step(service, last, filling, {})
    if wants_all and not pages:
        asked.note(sentence("n8n gives all of the list, page by page; here it is the first %(size)s", size=Count(size)))
    _note_unused(filling, (*service.get("by", ()), *service.get("without", ()), *row.get("when", ())))
    return _shaped(row, path, asked) if "script" in row else _given(row, path, pages)


def _step(service: Table, row: Table, filling: Row, paging: JsonObject) -> str:
    """The path of the output of the step that is added."""
    asked, call = filling.asked, row["call"]
    connection = {"connection": asked.connection(service["title"])} if service.get("signs", True) else {}
    request = _request(service, call, filling) if _ADDRESS.match(call) else {}
    config = request | filling.filled(row.get("config", {})) | paging | connection
    return asked.step("HTTP_REQUEST" if request else call, config)


def _request(service: Table, call: str, filling: Row) -> JsonObject:
    method, address = call.split(" ", 1)
    url = f"{service.get('url', '')}{address}" if address.startswith("/") else address
    return {"url": filling.text(url), "method": method, **filling.filled(service.get("request", {}))}


def _paging(row: Table, pages: JsonObject) -> JsonObject:
    items = ".".join(part for part in ("body", _list_and_rest(row)[0]) if part)
    return {"paging": {"items": items, **pages}} if pages else {}


def _list_and_rest(row: Table) -> tuple[str, str]:
    """The path of the list in the answer, and the filters that are applied to it."""
    path, pipe, filters = str(row.get("gives", "")).partition(" | ")
    return path, f"{pipe}{filters}"


def _note_unused(filling: Row, known: Sequence[str]) -> None:
    unused = [path for path in filling.unused() if not any(f"{path}.".startswith(f"{name}.") for name in known)]
    if unused:
        more = " …" if len(unused) > _MOST_NAMED else ""
        filling.asked.note(
            sentence("not taken over: %(names)s%(more)s", names=", ".join(unused[:_MOST_NAMED]), more=more)
        )


def _shaped(row: Table, path: str, asked: Asked) -> Output:
    found = asked.code(f"const answer = input.answer; {row['script']}", {"answer": f"{{{{ {path}.body }}}}"})
    return Output(many=found) if row.get("many") else Output(Data(found))


def _given(row: Table, path: str, pages: JsonObject) -> Output:
    body = "body" if _ADDRESS.match(row["call"]) else ""
    gives = str(row.get("gives", ""))
    whole = f"{path}.{body}".rstrip(".")
    whole = f"{whole}{gives}" if gives.startswith("[") else f"{whole}.{gives}".rstrip(".")
    renamed = row.get("renamed", {})
    if row.get("file"):
        return Output(Data(path), any_file=f"{path}.{row['file']}")
    if row.get("many"):
        return Output(many=f"{path}.items{_list_and_rest(row)[1]}" if pages else whole, renamed=renamed)
    return Output(Data(whole, renamed=renamed, unlike=bool(row.get("unlike"))))


for _type, _service in services().items():
    if not _service.get("in_code"):
        node(_type)(partial(_map, _service))
