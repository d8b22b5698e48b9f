"""Fields of forms, made from JSON Schemas: how each is drawn, and what it shows of a config.

Every field also takes an expression, whatever its type: a text with `{{` is shown as it is written.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Literal

from flowforge.connectors.connector import CONNECTION
from flowforge.jsonio import JsonObject
from webapp.translation.texts import gettext, lazy, translated
from webapp.ui.alternatives import alternatives_of, has_alternatives
from webapp.ui.map_entries import Entry, entry_of
from webapp.ui.written_values import as_text, has_expression

Kind = Literal[
    "text",
    "lines",
    "number",
    "switch",
    "choice",
    "choices",
    "map",
    "list",
    "records",
    "json",
    "secret",
    "secret_lines",
    "secrets",
    "object",
    "variants",
    "constant",
    "condition",
    "time",
    "moment",
    "zone",
]
STRUCTURED: frozenset[Kind] = frozenset({"map", "records", "object", "variants", "choices"})
"""Kinds whose values are objects or lists: as a text, they are JSON."""
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d")
"""A date and time as browsers fill it in."""
_INPUTS: Mapping[str, Kind] = {"time": "time", "moment": "moment", "zone": "zone"}
_MOST_SHOWN = 10
"""Fields of an object that are all shown; of more, the optional ones without a value are folded away."""
_FIRST_OPTIONAL = 3


@dataclass(frozen=True, slots=True)
class Field:
    key: str
    label: str
    help: str
    kind: Kind
    required: bool
    default: Any
    choices: Sequence[str] = ()
    entry: str = ""
    """The word for a single record."""
    group: str = ""
    """The heading it is drawn under; empty for none."""
    labels: Mapping[str, str] | None = None
    """The names of choices for people, where they are others than the choices."""
    unary: Collection[str] = ()
    """Of operators, those that compare with nothing: the field after it is hidden for them."""
    values: Mapping[str, Any] | None = None
    """The values of choices that are no texts."""
    suggestions: Sequence[tuple[str, str]] = ()
    """Values that are offered in a text, with their names."""
    language: str = ""
    """The field that says in which language it is written; empty for what is no code."""
    takes_expressions: bool = True
    is_filled: bool = False
    """Whether one of its choices is always made."""
    is_beside: bool = False
    """Whether it is drawn beside the field before it."""
    is_chooser: bool = False
    """Whether the other fields depend on what is chosen in it."""
    is_asked: bool = False
    """Whether a service can be asked for the values it may have."""
    example: str = ""
    is_open: bool = False
    """Whether an optional object is drawn even where it has no value."""
    shape: Mapping[str, Any] | None = None
    """The schema of an object, of the records of a list, or of what can be chosen among."""

    @property
    def is_structured(self) -> bool:
        """Whether its value is an object or a list, which as a text is JSON."""
        return self.kind in STRUCTURED

    @property
    def can_be_text(self) -> bool:
        """Whether it is drawn as fields or choices, in place of which a text can be shown."""
        return self.key != CONNECTION and (self.is_structured or self.kind in ("choice", "switch", "moment"))

    @property
    def inner(self) -> Sequence[Field]:
        """The fields of an object, or of each record of a list. A large schema is looked into only as far as it is
        drawn."""
        return fields_of(self.shape) if self.shape else ()

    @property
    def variants(self) -> Sequence[Field]:
        """The alternatives, of which one is filled in: each as the field itself would be drawn."""
        shapes = (self.shape or {}).get("oneOf", ())
        return [_field(self.key, _variant(self, shape, number), True) for number, shape in enumerate(shapes, 1)]

    def shown(self, config: Mapping[str, Any]) -> str:
        """The value as the field's text."""
        value = config.get(self.key)
        if value is None:
            return ""
        if self.kind == "list" and isinstance(value, list) and all(_is_line(line) for line in value):
            return "\n".join(value)
        return as_text(value) if self.kind in ("json", "list", *STRUCTURED) else _plain(value)

    def pairs(self, config: Mapping[str, Any]) -> list[tuple[str, str]]:
        """The entries of a map, and an empty one to add another."""
        value = config.get(self.key)
        entries = value.items() if isinstance(value, dict) else ()
        shown = as_text if self.kind == "map" and not self.choices else _plain
        return [*((str(name), shown(entry)) for name, entry in entries), ("", "")]

    def entries(self, config: Mapping[str, Any]) -> list[Entry]:
        """The entries of a map, and an empty one to add another."""
        if self.has_types:
            value = config.get(self.key)
            pairs = value.items() if isinstance(value, dict) else ()
            return [*(entry_of(str(name), entry) for name, entry in pairs), Entry()]
        return [Entry(name, text) for name, text in self.pairs(config)]

    @property
    def has_types(self) -> bool:
        """Whether each entry of a map may have another type."""
        return self.kind == "map" and not self.choices

    def records(self, config: Mapping[str, Any]) -> list[JsonObject]:
        value = config.get(self.key)
        return [record if isinstance(record, dict) else {} for record in value] if isinstance(value, list) else []

    def inside(self, config: Mapping[str, Any]) -> JsonObject:
        """The value of an object; empty where it has none."""
        value = config.get(self.key)
        return value if isinstance(value, dict) else {}

    def is_drawn(self, config: Mapping[str, Any]) -> bool:
        """Whether the fields of an object are drawn, or only a button that adds it."""
        return self.is_open or self.required or self.key in config

    def folded(self, config: Mapping[str, Any]) -> tuple[Sequence[Field], Sequence[Field]]:
        """The fields of an object: those that are shown at once, and those that are folded away."""
        fields, value = self.inner, self.inside(config)
        if len(fields) <= _MOST_SHOWN:
            return fields, ()
        chosen = [field for field in fields if field.required or field.key in value]
        first = chosen + [field for field in fields if field not in chosen][:_FIRST_OPTIONAL]
        return first, [field for field in fields if field not in first]

    def variant(self, config: Mapping[str, Any], chosen: str | None = None) -> int | None:
        """The number of the alternative that is filled in: the one that was just `chosen`, else the one that the value
        fits best; None for none."""
        if chosen is not None:
            return int(chosen) if chosen.isdecimal() and int(chosen) < len(self.variants) else None
        value = config.get(self.key)
        if value is None:
            return 0 if self.required else None
        fits = [_fit(shape, value) for shape in (self.shape or {}).get("oneOf", ())]
        return fits.index(max(fits)) if fits else None

    def alternatives_of_record(self, number: int) -> Field | None:
        """The field of one record, under its number, where each is one of several shapes; None where all have the same
        fields."""
        return _field(str(number), {**self.shape, "title": ""}, True) if self.shape and "oneOf" in self.shape else None

    def heading(self, record: JsonObject, number: int) -> str:
        """The words for a record: its first field, or which of several shapes it has; else its number."""
        alternatives = self.alternatives_of_record(number)
        if alternatives is None:
            return str(record.get(self.inner[0].key) or f"{self.entry} {number + 1}")
        chosen = alternatives.variant({alternatives.key: record}) or 0
        return f"{number + 1}. {alternatives.variants[chosen].label}"

    @property
    def options(self) -> list[tuple[str, str]]:
        """Values and their labels, of a choice or a switch."""
        if self.kind == "switch":
            return [("true", gettext("Yes")), ("false", gettext("No"))]
        return [(choice, (self.labels or {}).get(choice, choice)) for choice in self.choices]

    @property
    def usual(self) -> str:
        """The choice that holds where none is made, as people know it; empty where there is no such."""
        return "" if self.default is None else dict(self.options).get(_plain(self.default), _plain(self.default))

    def chosen(self, config: Mapping[str, Any]) -> Sequence[str]:
        """Those of several choices that are made; the usual ones where none is."""
        value = config.get(self.key) or self.default
        return [_plain(choice) for choice in value] if isinstance(value, list) else []

    @property
    def placeholder(self) -> str:
        """The words in an empty text: what holds then, or an example."""
        if self.default not in (None, ""):
            return str(self.default)
        return gettext("For example: %(example)s", example=self.example) if self.example else ""

    def is_expression(self, config: Mapping[str, Any]) -> bool:
        """Whether an expression stands where a literal of another type is expected."""
        return has_expression(config.get(self.key))

    @property
    def is_marked_required(self) -> bool:
        """Whether it is worth saying: a choice that is always made cannot be left out."""
        return self.required and self.kind not in ("choice", "switch")

    def is_text(self, config: Mapping[str, Any]) -> bool:
        """Whether its value can only be shown as a text."""
        value = config.get(self.key)
        is_other = self.kind == "moment" and isinstance(value, str) and not _MOMENT.fullmatch(value)
        return is_other or has_expression(value)

    def value_of(self, choice: str) -> Any:
        """The value that a choice stands for."""
        return (self.values or {}).get(choice, choice)


def with_chosen(names: Sequence[str], chosen: object) -> list[str]:
    """The names to choose from, and the chosen one, even where it is gone: saving a form drops nothing unseen."""
    return [*names, chosen] if isinstance(chosen, str) and chosen and chosen not in names else list(names)


def fields_of(schema: Mapping[str, Any]) -> list[Field]:
    """The fields of an object's schema, as pydantic or we write them: what the others depend on first, then required
    ones, groups last."""
    required = set(schema.get("required", ()))
    found = [_field(key, declared, key in required) for key, declared in schema.get("properties", {}).items()]
    groups = ["", *dict.fromkeys(field.group for field in found if field.group)]
    return sorted(found, key=lambda field: (groups.index(field.group), not field.is_chooser, not field.required))


def by_group(fields: Sequence[Field]) -> list[tuple[str, list[Field]]]:
    """The headings of the fields, each with the fields under it."""
    return [(group, list(members)) for group, members in groupby(fields, key=lambda field: field.group)]


def are_wrong(fields: Sequence[Field], notes: Mapping[str, str], prefix: str) -> bool:
    """Whether something is wrong with one of the fields, or inside of it. `notes`: problems by their places."""
    places = [f"{prefix}{field.key}".replace(".", "/") for field in fields]
    return any(at == place or at.startswith(f"{place}/") for place in places for at, note in notes.items() if note)


def _field(key: str, declared: Mapping[str, Any], required: bool) -> Field:
    shape = _shape(declared)
    kind, choices = _kind(declared, shape, required)
    label = declared.get("title")
    item = shape["items"] if kind == "records" else {}
    return Field(
        key,
        translated(_words(key) if label is None else str(label)),
        translated(str(declared.get("description", ""))),
        kind,
        required,
        declared.get("default"),
        choices,
        entry=translated(str(item.get("title", "entry"))),
        group=translated(str(declared.get("group", ""))),
        labels={choice: translated(name) for choice, name in declared.get("labels", {}).items()},
        unary=declared.get("unary", ()),
        values=_values(shape),
        suggestions=[(value, translated(name)) for value, name in declared.get("suggestions", ())],
        language=str(declared.get("language", "")),
        takes_expressions="noExpressions" not in declared,
        is_filled=required or bool(declared.get("filled")),
        is_beside=bool(declared.get("beside")),
        is_chooser=bool(declared.get("chooser")),
        is_asked=declared.get("asked") is True,
        example=_example(declared),
        is_open=bool(declared.get("isOpen")),
        shape=item or (shape if kind in ("object", "variants") else None),
    )


def _shape(declared: Mapping[str, Any]) -> Mapping[str, Any]:
    """The part of a type with alternatives that is not null."""
    for shape in declared.get("anyOf", ()):
        if shape.get("type") != "null":
            return _with_alternatives({**shape, **({"enum": declared["enum"]} if "enum" in declared else {})})
    return _with_alternatives(declared)


def _with_alternatives(shape: Mapping[str, Any]) -> Mapping[str, Any]:
    return alternatives_of(shape) if has_alternatives(shape) else shape


def _kind(declared: Mapping[str, Any], shape: Mapping[str, Any], required: bool) -> tuple[Kind, Sequence[str]]:
    types = shape.get("type", ())
    types = {types} if isinstance(types, str) else set(types)
    if declared.get("condition"):
        return "condition", ()
    if declared.get("input") in _INPUTS:
        return _INPUTS[declared["input"]], ()
    if declared.get("writeOnly"):
        return "secrets" if "object" in types else "secret_lines" if declared.get("multiline") else "secret", ()
    if shape.get("oneOf"):
        return "variants", ()
    if _choices(shape):
        choices = [_plain(choice) for choice in _choices(shape) if choice is not None]
        return ("constant" if required and len(choices) == 1 else "choice"), choices
    if "object" in types:
        return ("object", ()) if shape.get("properties") else ("map", _entries_of(shape.get("additionalProperties")))
    if "array" in types:
        return _kind_of_list(shape.get("items") or {})
    if "boolean" in types:
        return "switch", ()
    if types & {"integer", "number"}:
        return "number", ()
    if "string" in types:
        return ("lines" if declared.get("multiline") else "text"), ()
    return "json", ()


def _kind_of_list(items: Mapping[str, Any]) -> tuple[Kind, Sequence[str]]:
    """The kind of a list, by the schema of its entries. The choices of a plain list are the types of its lines."""
    if "enum" in items:
        return "choices", [_plain(choice) for choice in items["enum"]]
    if items.get("properties") or _is_told_apart(items):
        return "records", ()
    if items.get("oneOf") or items.get("type") in ("object", "array"):
        return "json", ()
    return "list", (("data",) if items.get("type") in ("integer", "number", "boolean") else ())


def _choices(shape: Mapping[str, Any]) -> Sequence[Any]:
    """The only values that a schema allows; none where it names none."""
    return shape["enum"] if "enum" in shape else [shape["const"]] if "const" in shape else ()


def _is_told_apart(shape: Mapping[str, Any]) -> bool:
    """Whether it is one of several shapes, each of which has a value of its own in the field that tells them apart."""
    name = (shape.get("discriminator") or {}).get("propertyName")
    return bool(shape.get("oneOf")) and all(
        "const" in one.get("properties", {}).get(name, ()) for one in shape["oneOf"]
    )


def _values(shape: Mapping[str, Any]) -> Mapping[str, Any] | None:
    choices = _choices(shape) or (shape.get("items") or {}).get("enum") or ()
    return {_plain(choice): choice for choice in choices if not isinstance(choice, str)} or None


def _example(declared: Mapping[str, Any]) -> str:
    examples = declared.get("examples")
    return _plain(examples[0])[:80] if isinstance(examples, list) and examples else ""


def _variant(field: Field, shape: Mapping[str, Any], number: int) -> Mapping[str, Any]:
    title = str(shape.get("title") or f"{_NAMES.get(str(shape.get('type')), _OTHER)} ({number})")
    return {**shape, "title": title}


_NAMES = {
    "string": lazy("Text"),
    "integer": lazy("Number"),
    "number": lazy("Number"),
    "boolean": lazy("Yes or no"),
    "array": lazy("List"),
}
_OTHER = lazy("Other")
_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
}


def _fit(shape: Mapping[str, Any], value: Any) -> int:
    """How well a value fits an alternative: the higher, the better."""
    if "type" in shape and not isinstance(value, _TYPES.get(shape["type"], object)):
        return -1_000
    if not isinstance(value, dict):
        return 1
    properties = shape.get("properties", {})
    known = sum(2 if _is_constant(properties[key], inner) else 1 for key, inner in value.items() if key in properties)
    return known - sum(_misfit(properties.get(key), inner) for key, inner in value.items())


def _misfit(shape: Mapping[str, Any] | None, value: Any) -> int:
    """How much a field speaks against an alternative; another value of what is always the same there, most."""
    if shape is None:
        return 100
    choices = _choices(shape)
    contradicts = choices and value not in choices and not has_expression(value)
    return (10_000 if len(choices) == 1 else 100) if contradicts else 0


def _is_constant(shape: Mapping[str, Any], value: Any) -> bool:
    return [*_choices(shape)] == [value]


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
