"""Filled-in forms: the config that the fields of a posted form stand for.

Every field also takes an expression, whatever its type: a text with `{{` is kept as it is written.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import zip_longest
from typing import Any, TypeVar

from werkzeug.datastructures import MultiDict

from flowforge.jsonio import JsonObject
from webapp.ui.conditions import condition_from_form
from webapp.ui.fields import STRUCTURED, Field
from webapp.ui.map_entries import value_of
from webapp.ui.written_values import from_text, has_expression, number_of

Form = MultiDict[str, str]
T = TypeVar("T")
ARRANGE = "arrange"
"""The name of the buttons that change what a form draws: of a list of records `add:<field>`, `remove:<field>:<number>`,
`up:…`, `down:…`; of an object `open:<field>`, `close:<field>`; of any field `write:<field>` shows it as a text, JSON or
an expression, and `draw:<field>` again as it was. Neither changes its value."""
WRITE, WRITTEN = "write", "written"
"""The button, and the part of a form that says that a field is shown as a text."""
OWN_ZONE = "zone"
"""The part of a form that tells the time zone of whoever fills it in."""
MOST_RECORDS = 200
_NAME, _VALUE, _TYPE, _COUNT = "name", "value", "type", "count"
DRAWN, VARIANT = "drawn", "variant"
"""The parts of a form that say whether an object is drawn, and which alternative; and which is chosen."""


def config_from_form(
    fields: Sequence[Field], form: Form, before: Mapping[str, Any], prefix: str = "config."
) -> JsonObject:
    """The config that filled-in fields stand for, without the empty ones. Keys without a field stay as they were."""
    drawn = {field.key for field in fields}
    config = {key: value for key, value in before.items() if key not in drawn}
    for field in fields:
        value = _read(field, form, before, f"{prefix}{field.key}")
        if value is not None:
            config[field.key] = value
    return config


def without_undrawn(fields: Sequence[Field], config: JsonObject) -> JsonObject:
    """The config without what stands inside its open objects and has no field any more."""
    opened = {field.key: field for field in fields if field.kind == "object" and field.is_open}
    return {
        key: _with_fields_alone(opened[key], value) if key in opened and isinstance(value, dict) else value
        for key, value in config.items()
    }


def _with_fields_alone(field: Field, value: JsonObject) -> JsonObject:
    keys = {inner.key for inner in field.inner}
    return without_undrawn(field.inner, {key: inner for key, inner in value.items() if key in keys})


def draws_otherwise(form: Form) -> bool:
    """Whether something else was chosen than that whose fields are drawn, or a button changes the form."""
    chosen = ((name, value) for name, value in form.items() if name.endswith(f".{VARIANT}"))
    drawn = ((name.removesuffix(f".{DRAWN}"), value) for name, value in form.items() if name.endswith(f".{DRAWN}"))
    return (
        ARRANGE in form
        or any(form.get(f"{name.removesuffix(VARIANT)}{DRAWN}", "") != value for name, value in chosen)
        or any(name in form and form[name] != value for name, value in drawn if f"{name}.{VARIANT}" not in form)
    )


def _read(field: Field, form: Form, before: Mapping[str, Any], name: str) -> Any:
    if f"{name}.{WRITTEN}" in form:
        return _read_written(field, form, name)
    reader = _READERS.get(field.kind)
    return _read_text(field, form, name) if reader is None else reader(field, form, before, name)


def _read_written(field: Field, form: Form, name: str) -> Any:
    """The value of a field that is shown as a text: JSON, or an expression for all of it."""
    text = form.get(name, "").replace("\r\n", "\n")
    if field.kind not in STRUCTURED:
        return _read_text(field, form, name)
    return from_text(text) if text.strip() else None


def _read_zone(field: Field, form: Form, _before: Mapping[str, Any], name: str) -> Any:
    """The person's own where the field was not drawn yet."""
    return form.get(name, form.get(OWN_ZONE)) or None


def _read_condition(field: Field, form: Form, before: Mapping[str, Any], name: str) -> Any:
    return condition_from_form(form, name, field.shown(before), form.get(ARRANGE, "")) or None


def _read_object(field: Field, form: Form, before: Mapping[str, Any], name: str) -> Any:
    """An optional object that was added stays, even while it is empty."""
    if name in form:  # an expression for the whole of it
        return form[name] or None
    if form.get(ARRANGE) == f"open:{name}":
        return {}
    if form.get(ARRANGE) == f"close:{name}":
        return None
    if f"{name}.{DRAWN}" not in form:
        return before.get(field.key)
    written = config_from_form(field.inner, form, field.inside(before), f"{name}.")
    return written or (None if field.is_open or field.required else {})


def _read_variants(field: Field, form: Form, before: Mapping[str, Any], name: str) -> Any:
    """The alternative that is chosen, read if it is the one whose fields were drawn."""
    if name in form and f"{name}.{VARIANT}" not in form:
        return form[name] or None
    chosen = field.variant(before, form.get(f"{name}.{VARIANT}", ""))
    if chosen is None:
        return None
    alternative, drawn = field.variants[chosen], field.variant(before, form.get(f"{name}.{DRAWN}", ""))
    if drawn == chosen:
        return _read(alternative, form, before, name)
    kept = field.variants[drawn].inner if drawn is not None else ()
    taken_over = [inner for inner in alternative.inner if inner.kind == "constant" or inner in kept]
    return config_from_form(taken_over, form, {}, f"{name}.") or None


def _read_constant(field: Field, _form: Form, _before: Mapping[str, Any], _name: str) -> Any:
    return field.value_of(field.choices[0])


def _read_text(field: Field, form: Form, name: str) -> Any:
    text = form.get(name, "").replace("\r\n", "\n")
    if not text.strip():
        return None
    if has_expression(text) and field.kind not in ("json", "list"):
        return text
    match field.kind:
        case "number":
            return number_of(text.strip())
        case "switch":
            return {"true": True, "false": False}.get(text, text)
        case "choice":
            return field.value_of(text)
        case "json":
            return from_text(text)
        case "list":
            return _list(text, from_text if field.choices else str)
    return text


def _read_choices(field: Field, form: Form, _before: Mapping[str, Any], name: str) -> Any:
    chosen = form.getlist(name)
    return None if chosen in ([], field.default) else [field.value_of(choice) for choice in chosen]


def _read_map(field: Field, form: Form, _before: Mapping[str, Any], name: str) -> Any:
    if name in form:  # an expression for the whole of it
        return form[name] or None
    names, values = form.getlist(f"{name}.{_NAME}"), form.getlist(f"{name}.{_VALUE}")
    types = form.getlist(f"{name}.{_TYPE}") if field.has_types else []
    rows = zip_longest(names, values[: len(names)], types[: len(names)], fillvalue="")
    read = value_of if field.has_types else _reader_of_entries(field)
    arranged = _arrange(list(rows), form.get(ARRANGE, ""), name)
    return {
        key.strip(): read(value.replace("\r\n", "\n"), type_) for key, value, type_ in arranged if key.strip()
    } or None


def _reader_of_entries(field: Field) -> Callable[[str, str], Any]:
    read = _READ_ENTRY[tuple(field.choices)] if field.kind == "map" else str
    return lambda text, _: read(text)


def _parameter(text: str) -> Any:
    """An object or a list; anything else is the text as it was written: 1.10 has two decimals."""
    read = from_text(text)
    return read if isinstance(read, dict | list) else text


_READ_ENTRY: Mapping[tuple[str, ...], Callable[[str], Any]] = {
    ("text",): str,
    ("parameter",): _parameter,
}
"""How the entries of a map are read, by what they are."""


def _read_records(field: Field, form: Form, before: Mapping[str, Any], name: str) -> Any:
    if name in form:  # an expression for the whole of it
        return form[name] or None
    count = min(form.get(f"{name}.{_COUNT}", 0, type=int), MOST_RECORDS)
    earlier = [*field.records(before), *[{}] * count]
    written = [_read_record(field, form, earlier[n], name, n) for n in range(count)]
    button = form.get(ARRANGE, "")
    added: list[JsonObject] = [{}] if button == f"add:{name}" else []
    return [*_arrange(written, button, name), *added][:MOST_RECORDS] or None


def _read_record(field: Field, form: Form, before: JsonObject, name: str, number: int) -> JsonObject:
    alternatives = field.alternatives_of_record(number)
    if alternatives is None:
        return config_from_form(field.inner, form, before, f"{name}.{number}.")
    return _read(alternatives, form, {alternatives.key: before}, f"{name}.{number}") or {}


_READERS: Mapping[str, Callable[[Field, Form, Mapping[str, Any], str], Any]] = {
    "condition": _read_condition,
    "zone": _read_zone,
    "map": _read_map,
    "secrets": _read_map,
    "choices": _read_choices,
    "records": _read_records,
    "object": _read_object,
    "variants": _read_variants,
    "constant": _read_constant,
}


def _arrange(rows: list[T], button: str, name: str) -> list[T]:
    """The rows after what a button of one of them does; as they are for a button of another list."""
    operation, _, wanted = button.partition(":")
    wanted, _, number = wanted.rpartition(":")
    if operation in _MOVES and wanted == name and number.isdecimal():
        return _move(rows, int(number), _MOVES[operation])
    return rows


_MOVES: Mapping[str, int | None] = {"remove": None, "up": -1, "down": 1}


def _move(rows: list[T], number: int, by: int | None) -> list[T]:
    """Move the row of that number by so many positions, or remove it where `by` is None."""
    if number >= len(rows):
        return rows
    others = [*rows[:number], *rows[number + 1 :]]
    if by is not None:
        others.insert(max(0, number + by), rows[number])
    return others


def _list(text: str, read: Callable[[str], Any]) -> Any:
    stripped = text.strip()
    if stripped.startswith("["):
        return from_text(stripped)
    lines = [line.strip() for line in stripped.splitlines() if line.strip()]
    return lines[0] if len(lines) == 1 and re.fullmatch(r"\{\{.*\}\}", lines[0]) else [read(line) for line in lines]
