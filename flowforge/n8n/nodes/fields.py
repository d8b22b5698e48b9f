"""The Set node (Edit Fields): an object is built, or fields are added to the item."""

from __future__ import annotations

from typing import Any

from flowforge import jsonio
from flowforge.jsonio import JsonObject
from flowforge.n8n.asking import Asked, Result, one
from flowforge.n8n.data import Data, Output, reach
from flowforge.n8n.json_templates import read_template
from flowforge.n8n.nodes import node
from flowforge.sentences import sentence

_OLD_KINDS = ("string", "number", "boolean")


@node("set")
def set_(asked: Asked) -> Result:
    if asked.raw("mode") in ("raw", "json"):
        return _whole(asked)
    if any(_is_computed(row) for row in _rows(asked)):
        return _by_computed_names(asked)
    fields: JsonObject = {}
    for name, value in _assignments(asked):
        _put(fields, name, value, dotted=asked.raw("options.dotNotation") is not False)
    path = asked.step("TRANSFORM", {"output": fields or {}})
    own = Data(path)
    return _with_others(asked, own, path, list(fields))


def _by_computed_names(asked: Asked) -> Output:
    """Code builds the object, on top of the item where its fields are kept."""
    pairs = [
        [asked.text_of(row.get("name")), value]
        for row, (_, value) in zip(_rows(asked), _assignments(asked), strict=True)
    ]
    item = asked.item if _keeps_others(asked) else {}
    return one(asked.code(_PUT_TOGETHER, {"item": item, "fields": pairs})).with_files_of(asked.given)


_PUT_TOGETHER = "return { ...input.item, ...Object.fromEntries(input.fields) };\n"


def _keeps_others(asked: Asked) -> bool:
    if asked.node.version < 3:
        return asked.raw("keepOnlySet") is not True
    return bool(asked.raw("includeOtherFields", asked.raw("include") == "all"))


def _with_others(asked: Asked, own: Data, path: str, names: list[str]) -> Output:
    """The fields that were set, on top of those that the item had where these are kept."""
    given = asked.given
    if not _keeps_others(asked):
        return Output(own).with_files_of(given)
    chosen = asked.raw("include", "all")
    if asked.node.version >= 3 and chosen not in ("all", None):
        asked.note(sentence("all fields of the item are kept, not only those that were chosen"))
    merged = Data(path, {name: reach(path, name) for name in names}, base=given.item)
    return Output(merged, why=given.why).with_files_of(given)


def _rows(asked: Asked) -> list[JsonObject]:
    """The fields that are set."""
    rows = asked.rows("assignments.assignments") or asked.rows("fields.values")
    if rows or asked.node.version >= 3:
        return rows
    return [row for kind in _OLD_KINDS for row in asked.rows(f"values.{kind}")]


def _assignments(asked: Asked) -> list[tuple[str, Any]]:
    is_old = asked.node.version < 3 and not (asked.raw("assignments") or asked.raw("fields"))
    return [
        (_name(row), asked.values.value(row.get("value")) if is_old else _typed(asked, row)) for row in _rows(asked)
    ]


def _name(row: JsonObject) -> str:
    return str(row.get("name", "")).strip().removeprefix("=")


def _is_computed(row: JsonObject) -> bool:
    return str(row.get("name", "")).startswith("=")


def _typed(asked: Asked, row: JsonObject) -> Any:
    """A value in the type that the row names: objects and lists may stand there as text."""
    type_ = str(row.get("type", "string")).removesuffix("Value").lower()
    raw = row.get("value", row.get(f"{type_}Value"))
    if isinstance(raw, str) and type_ in ("object", "array") and not raw.startswith("="):
        return _from_json(asked, raw)
    if isinstance(raw, str) and type_ in ("number", "boolean") and not raw.startswith("="):
        return _from_word(asked, raw)
    return asked.values.value(raw)


def _from_word(asked: Asked, raw: str) -> Any:
    try:
        return jsonio.loads(raw.strip() or "null")
    except ValueError:
        return asked.values.value(raw)


def _from_json(asked: Asked, raw: str) -> Any:
    try:
        return asked.values.value(jsonio.loads(raw))
    except ValueError:
        asked.note(sentence("a field that should hold JSON holds a text"))
        return asked.values.text(raw)


def _put(fields: JsonObject, name: str, value: Any, *, dotted: bool) -> None:
    """`a.b` leads into an object where dots have that meaning."""
    *path, last = name.split(".") if dotted and "[" not in name else [name]
    for key in path:
        inner = fields.setdefault(key, {})
        if not isinstance(inner, dict):
            inner = fields[key] = {}
        fields = inner
    fields[last] = value


def _whole(asked: Asked) -> Output:
    """An object that is written out as JSON, with expressions in it."""
    raw = asked.raw("jsonOutput", "{}")
    if isinstance(raw, dict):
        path = asked.step("TRANSFORM", {"output": asked.values.value(raw)})
        return _with_others(asked, Data(path), path, list(raw))
    written = read_template(asked.values, str(raw))
    if isinstance(written, dict):
        path = asked.step("TRANSFORM", {"output": written})
        return _with_others(asked, Data(path), path, list(written))
    path = asked.step("TRANSFORM", {"output": {"json": written}})
    return _with_others(asked, Data(f"{path}.json"), f"{path}.json", [])
