"""Forms made from JSON Schemas: the fields to draw, and the config that a posted form stands for.

Every field also takes an expression, whatever its type: a text with `{{` is kept as it is written.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Literal

from werkzeug.datastructures import MultiDict

from flowforge import jsonio
from flowforge.jsonio import JsonObject

Kind = Literal[
    "text", "lines", "number", "switch", "choice", "choices", "map", "list", "records", "json", "secret", "secrets"
]
ARRANGE = "arrange"
"""The name of the buttons that change a list of records: `add:<field>`, `remove:<field>:<number>`, `up:…`, `down:…`."""
MOST_RECORDS = 200
_NAME, _VALUE, _COUNT = "name", "value", "count"


@dataclass(frozen=True, slots=True)
class Field:
    key: str
    label: str
    help: str
    kind: Kind
    required: bool
    default: Any
    choices: Sequence[str] = ()
    inner: Sequence[Field] = ()
    """The fields of each record, for a list of records."""
    entry: str = ""
    """The word for a single record."""
    group: str = ""
    """The heading it is drawn under; empty for none."""
    labels: Mapping[str, str] | None = None
    """The names of choices for people, where they are others than the choices."""

    def shown(self, config: Mapping[str, Any]) -> str:
        """The value as the field's text."""
        value = config.get(self.key)
        if value is None:
            return ""
        if self.kind == "list" and isinstance(value, list) and all(_is_line(line) for line in value):
            return "\n".join(value)
        return as_text(value) if self.kind in ("json", "list", "map") else _plain(value)

    def pairs(self, config: Mapping[str, Any]) -> list[tuple[str, str]]:
        """The entries of a map, and an empty one to add another."""
        value = config.get(self.key)
        entries = value.items() if isinstance(value, dict) else ()
        shown = as_text if self.kind == "map" and not self.choices else _plain
        return [*((str(name), shown(entry)) for name, entry in entries), ("", "")]

    def records(self, config: Mapping[str, Any]) -> list[JsonObject]:
        value = config.get(self.key)
        return [record if isinstance(record, dict) else {} for record in value] if isinstance(value, list) else []

    @property
    def options(self) -> list[tuple[str, str]]:
        """Values and their labels, of a choice or a switch."""
        if self.kind == "switch":
            return [("true", "Yes"), ("false", "No")]
        return [(choice, (self.labels or {}).get(choice, choice)) for choice in self.choices]

    def chosen(self, config: Mapping[str, Any]) -> Sequence[str]:
        """Those of several choices that are made; the usual ones where none is."""
        value = config.get(self.key) or self.default
        return value if isinstance(value, list) else []

    def is_expression(self, config: Mapping[str, Any]) -> bool:
        """Whether an expression stands where a literal of another type is expected."""
        return has_expression(config.get(self.key))


def fields_of(schema: Mapping[str, Any]) -> list[Field]:
    """The fields of an object's schema, as pydantic or we write them; required ones first, groups last."""
    required = set(schema.get("required", ()))
    found = [_field(key, declared, key in required) for key, declared in schema.get("properties", {}).items()]
    groups = ["", *dict.fromkeys(field.group for field in found if field.group)]
    return sorted(found, key=lambda field: (groups.index(field.group), not field.required))


def by_group(fields: Sequence[Field]) -> list[tuple[str, list[Field]]]:
    """The headings of the fields, each with the fields under it."""
    return [(group, list(members)) for group, members in groupby(fields, key=lambda field: field.group)]


def config_from_form(
    fields: Sequence[Field], form: MultiDict[str, str], before: Mapping[str, Any], prefix: str = "config."
) -> JsonObject:
    """The config that filled-in fields stand for, without the empty ones. Keys without a field stay as they were."""
    drawn = {field.key for field in fields}
    config = {key: value for key, value in before.items() if key not in drawn}
    for field in fields:
        name = f"{prefix}{field.key}"
        value = _read_records(field, form, before, name) if field.kind == "records" else _read(field, form, name)
        if value is not None:
            config[field.key] = value
    return config


def has_expression(value: Any) -> bool:
    return isinstance(value, str) and "{{" in value


def as_text(value: Any) -> str:
    """JSON that `from_text` reads again; a text that cannot be taken for anything else stays a text."""
    if isinstance(value, str) and from_text(value) == value:
        return value
    text = jsonio.dumps(value)
    return jsonio.indented(value) if isinstance(value, dict | list) and value else text.decode()


def from_text(text: str) -> Any:
    """A number, true, false, null, an object or a list as JSON writes it; anything else is a text."""
    stripped = text.strip()
    is_data = stripped.startswith(("{\n", '{"', "[", '"'))
    if not stripped or (has_expression(stripped) and not is_data):
        return text
    try:
        return jsonio.loads(stripped)
    except ValueError:
        return text


def _read(field: Field, form: MultiDict[str, str], name: str) -> Any:
    if field.kind in ("map", "secrets"):
        return _read_map(field, form, name)
    if field.kind == "choices":
        chosen = form.getlist(name)
        return None if chosen in ([], field.default) else chosen
    text = form.get(name, "").replace("\r\n", "\n")
    if not text.strip():
        return None
    if has_expression(text) and field.kind not in ("json", "list"):
        return text
    match field.kind:
        case "number":
            return _number(text.strip())
        case "switch":
            return {"true": True, "false": False}.get(text, text)
        case "json":
            return from_text(text)
        case "list":
            return _list(text)
    return text


def _read_map(field: Field, form: MultiDict[str, str], name: str) -> Any:
    if name in form:  # an expression for the whole of it
        return form[name] or None
    names, values = form.getlist(f"{name}.{_NAME}"), form.getlist(f"{name}.{_VALUE}")
    pairs = [(key.strip(), value.replace("\r\n", "\n")) for key, value in zip(names, values, strict=False)]
    read = _READ_ENTRY[tuple(field.choices)] if field.kind == "map" else str
    return {key: read(value) for key, value in pairs if key} or None


def _parameter(text: str) -> Any:
    """An object or a list; anything else is the text as it was written: 1.10 has two decimals."""
    read = from_text(text)
    return read if isinstance(read, dict | list) else text


_READ_ENTRY: Mapping[tuple[str, ...], Callable[[str], Any]] = {
    (): from_text,
    ("text",): str,
    ("parameter",): _parameter,
}
"""How the entries of a map are read, by what they are."""


def _read_records(
    field: Field, form: MultiDict[str, str], before: Mapping[str, Any], name: str
) -> list[JsonObject] | None:
    count = min(form.get(f"{name}.{_COUNT}", 0, type=int), MOST_RECORDS)
    earlier = [*field.records(before), *[{}] * count]
    written = [config_from_form(field.inner, form, earlier[n], f"{name}.{n}.") for n in range(count)]
    return _arrange(written, form.get(ARRANGE, ""), name) or None


def _arrange(records: list[JsonObject], operation: str, name: str) -> list[JsonObject]:
    """The records after what a button of their list does; as they are for a button of another one."""
    match operation.split(":"):
        case ["add", wanted] if wanted == name:
            return [*records, {}][:MOST_RECORDS]
        case ["remove" | "up" | "down" as what, wanted, number] if wanted == name and number.isdecimal():
            return _move(records, int(number), {"remove": None, "up": -1, "down": 1}[what])
    return records


def _move(records: list[JsonObject], number: int, by: int | None) -> list[JsonObject]:
    """Move the record of that number by so many positions, or remove it where `by` is None."""
    if number >= len(records):
        return records
    others = [*records[:number], *records[number + 1 :]]
    if by is not None:
        others.insert(max(0, number + by), records[number])
    return others


def _list(text: str) -> Any:
    stripped = text.strip()
    if stripped.startswith("["):
        return from_text(stripped)
    lines = [line.strip() for line in stripped.splitlines() if line.strip()]
    return lines[0] if len(lines) == 1 and re.fullmatch(r"\{\{.*\}\}", lines[0]) else lines


def _number(text: str) -> Any:
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        return text


def _field(key: str, declared: Mapping[str, Any], required: bool) -> Field:
    shape = _shape(declared)
    kind, choices = _kind(declared, shape)
    label = str(declared.get("title") or _words(key))
    item = shape["items"] if kind == "records" else {}
    return Field(
        key,
        label,
        str(declared.get("description", "")),
        kind,
        required,
        declared.get("default"),
        choices,
        inner=fields_of(item),
        entry=str(item.get("title", "entry")),
        group=str(declared.get("group", "")),
        labels=declared.get("labels"),
    )


def _shape(declared: Mapping[str, Any]) -> Mapping[str, Any]:
    """The part of a type with alternatives that is not null."""
    for shape in declared.get("anyOf", ()):
        if shape.get("type") != "null":
            return {**shape, **({"enum": declared["enum"]} if "enum" in declared else {})}
    return declared


def _kind(declared: Mapping[str, Any], shape: Mapping[str, Any]) -> tuple[Kind, Sequence[str]]:
    types = shape.get("type", ())
    types = {types} if isinstance(types, str) else set(types)
    if declared.get("writeOnly"):
        return ("secrets" if "object" in types else "secret"), ()
    if "enum" in shape:
        return "choice", [str(choice) for choice in shape["enum"] if choice is not None]
    if "object" in types:
        return "map", _entries_of(shape.get("additionalProperties"))
    if "array" in types and "enum" in shape.get("items", {}):
        return "choices", [str(choice) for choice in shape["items"]["enum"]]
    if "array" in types:
        return ("records" if "properties" in shape.get("items", {}) else "list"), ()
    if "boolean" in types:
        return "switch", ()
    if types & {"integer", "number"}:
        return "number", ()
    if "string" in types:
        return ("lines" if declared.get("multiline") else "text"), ()
    return "json", ()


def _entries_of(declared: Any) -> Sequence[str]:
    """The kind of a map's entries; none where they are anything."""
    if not isinstance(declared, dict):
        return ()
    types = {inner.get("type") for inner in declared.get("anyOf", (declared,))}
    if types == {"string"}:
        return ("text",)
    return ("parameter",) if "string" in types and not types & {"number", "integer", "boolean", None} else ()


def _is_line(value: Any) -> bool:
    return isinstance(value, str) and value == value.strip() != "" and "\n" not in value and not value.startswith("[")


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else as_text(value)


def _words(key: str) -> str:
    """`timeZone` as `Time zone`."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", key).lower()
    return spaced[:1].upper() + spaced[1:]
