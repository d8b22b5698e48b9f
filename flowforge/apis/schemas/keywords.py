"""The keywords of one level of a schema, made plain: types of one name, numbers that are numbers."""

from __future__ import annotations

from typing import Any

from flowforge import jsonio
from flowforge.apis.shapes import as_list
from flowforge.jsonio import JsonObject

FILE: JsonObject = {"type": "string", "format": "binary"}
"""The schema of the bytes of a file."""
_TYPES = ("string", "number", "integer", "boolean", "object", "array")
_MEANT = {
    "int": "integer",
    "int32": "integer",
    "int64": "integer",
    "long": "integer",
    "float": "number",
    "double": "number",
    "decimal": "number",
    "bool": "boolean",
    "text": "string",
    "str": "string",
    "date": "string",
    "datetime": "string",
    "date-time": "string",
    "uuid": "string",
    "uri": "string",
    "file": "string",
    "list": "array",
    "dict": "object",
    "map": "object",
}
"""Types that files name although no dialect has them, except for `file` of OpenAPI 2.0."""
_SHOWN_BY = {
    "properties": "object",
    "additionalProperties": "object",
    "patternProperties": "object",
    "items": "array",
    "prefixItems": "array",
    "pattern": "string",
    "maxLength": "string",
    "minLength": "string",
    "maximum": "number",
    "minimum": "number",
}
_FORMATS_OF_TEXT = frozenset({"date", "date-time", "email", "uri", "url", "uuid", "password", "binary", "byte"})
_BOUNDS = ("minimum", "maximum", "multipleOf")
_COUNTS = {"string": ("minLength", "maxLength"), "array": ("minItems", "maxItems")}
_LONGEST_TITLE, _LONGEST_DESCRIPTION, _LONGEST_PATTERN = 120, 2_000, 500
_LARGEST_VALUE = 4_000
_MOST_EXAMPLES, _MOST_CHOICES = 3, 1_000


def about(keywords: JsonObject) -> JsonObject:
    """What a schema says for people."""
    found = {
        "title": one_line(keywords.get("title"), _LONGEST_TITLE),
        "description": text(keywords.get("description"), _LONGEST_DESCRIPTION),
        "deprecated": keywords.get("deprecated") is True,
        "nullable": is_nullable(keywords),
        "writeOnly": keywords.get("format") == "password",
        "examples": _examples(keywords),
    }
    return {keyword: value for keyword, value in found.items() if value}


def default_of(keywords: JsonObject, type_: str | None) -> JsonObject:
    """The default, where it is of the type; Discovery documents write all of them as texts."""
    default = keywords.get("default")
    if isinstance(default, str) and type_ in ("number", "integer", "boolean"):
        default = _read_json(default)
    return {"default": default} if is_small(default) and (type_ is None or _is_of(default, type_)) else {}


def type_of(keywords: JsonObject) -> str | None:
    """The one type that a schema allows, as it says or shows; None for any, or for several."""
    named = named_types(keywords)
    if named:
        return named[0] if len(named) == 1 else None
    shown = next((type_ for keyword, type_ in _SHOWN_BY.items() if keyword in keywords), None)
    if shown is None and (keywords.get("format") in _FORMATS_OF_TEXT or is_file(keywords)):
        return "string"
    return shown or _type_of_values(enum_of(keywords))


def named_types(keywords: JsonObject) -> list[str]:
    """The types that `type` names, without null, each once."""
    named = keywords.get("type")
    names = named if isinstance(named, list) else [named]
    meant = [_MEANT.get(name.lower(), name.lower()) for name in names if isinstance(name, str)]
    return [type_ for type_ in dict.fromkeys(meant) if type_ in _TYPES]


def is_nullable(keywords: JsonObject) -> bool:
    named = keywords.get("type")
    declared = keywords.get("nullable") is True or keywords.get("x-nullable") is True
    enum = keywords.get("enum")
    return declared or (isinstance(named, list) and "null" in named) or (isinstance(enum, list) and None in enum)


def enum_of(keywords: JsonObject) -> list[Any]:
    """The values that a schema allows; empty where it allows all."""
    enum = [keywords["const"]] if "const" in keywords else keywords.get("enum")
    if not isinstance(enum, list):
        return []
    return [value for value in enum[:_MOST_CHOICES] if value is not None and is_small(value)]


def limits(keywords: JsonObject, type_: str, *, files: bool) -> JsonObject:
    """What a schema asks of values of that type, apart from what is inside of them; `files`: whether there can be
    any."""
    found: JsonObject = {}
    enum = enum_of(keywords)
    if enum and all(_is_of(value, type_) for value in enum):
        found["enum"] = enum
    if type_ in ("number", "integer"):
        found |= _bounds(keywords)
    for keyword in _COUNTS.get(type_, ()):
        count = _number(keywords.get(keyword))
        found |= {keyword: int(count)} if count is not None and count >= 0 else {}
    if type_ == "string":
        found |= _of_text(keywords, files)
    if type_ == "array" and keywords.get("uniqueItems") is True:
        found["uniqueItems"] = True
    return found


def is_file(keywords: JsonObject) -> bool:
    """Whether a schema stands for the bytes of a file."""
    if keywords.get("type") == "file" or keywords.get("format") == "binary":
        return True
    media_type = keywords.get("contentMediaType")
    return isinstance(media_type, str) and "contentEncoding" not in keywords and not media_type.startswith("text/")


def is_small(value: Any) -> bool:
    """Whether a value is worth showing as a default, choice or example; None is not."""
    if value is None:
        return False
    try:
        jsonio.dumps_within(value, _LARGEST_VALUE)
    except (TypeError, ValueError):
        return False
    return True


def one_line(value: Any, longest: int = _LONGEST_TITLE) -> str:
    """Text without line breaks and other characters that cannot be seen; empty for what is no text."""
    if not isinstance(value, str):
        return ""
    line = " ".join(value[: 4 * longest].split())
    if not line.isprintable():
        line = " ".join("".join(c if c.isprintable() else " " for c in line).split())
    return line if len(line) <= longest else f"{line[: longest - 1].rstrip()}…"


def text(value: Any, longest: int = _LONGEST_DESCRIPTION) -> str:
    """Text of several lines; empty for what is no text."""
    if not isinstance(value, str):
        return ""
    stripped = jsonio.writable(value[: longest + 1].strip())
    return stripped if len(stripped) <= longest else f"{stripped[: longest - 1].rstrip()}…"


def _examples(keywords: JsonObject) -> list[Any]:
    given = [keywords.get("example"), *as_list(keywords.get("examples"))[:_MOST_EXAMPLES]]
    return [value for value in given if is_small(value)][:_MOST_EXAMPLES]


def _bounds(keywords: JsonObject) -> JsonObject:
    found = {keyword: _number(keywords.get(keyword)) for keyword in _BOUNDS}
    for bound, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if keywords.get(exclusive) is True:  # as JSON Schema had it up to draft 4
            found[exclusive] = found.pop(bound)
        else:
            found[exclusive] = _number(keywords.get(exclusive))
    if found["multipleOf"] is not None and found["multipleOf"] <= 0:
        found["multipleOf"] = None
    return {keyword: value for keyword, value in found.items() if value is not None}


def _of_text(keywords: JsonObject, files: bool) -> JsonObject:
    declared = "binary" if is_file(keywords) else one_line(keywords.get("format"), 40)
    format_ = declared if files or declared != "binary" else ""
    pattern = keywords.get("pattern")
    found: JsonObject = {"format": format_} if format_ else {}
    if isinstance(pattern, str) and 0 < len(pattern) <= _LONGEST_PATTERN:
        found["pattern"] = pattern
    return found


def _number(value: Any) -> int | float | None:
    if isinstance(value, str):
        value = _read_json(value)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _read_json(text_: str) -> Any:
    try:
        return jsonio.loads(text_)
    except ValueError:
        return None


def _type_of_values(values: list[Any]) -> str | None:
    for type_ in ("boolean", "integer", "number", "string"):
        if values and all(_is_of(value, type_) for value in values):
            return type_
    return None


def _is_of(value: Any, type_: str) -> bool:
    if isinstance(value, bool):
        return type_ == "boolean"
    if isinstance(value, int):
        return type_ in ("integer", "number")
    if isinstance(value, float):
        return type_ == "number" or (type_ == "integer" and value.is_integer())
    names: dict[type, str] = {str: "string", dict: "object", list: "array"}
    return names.get(type(value)) == type_
