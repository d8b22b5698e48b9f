"""Pages of the help's reference, made from what the code declares: actions, triggers, filters, settings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from pydantic import AliasChoices
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from flowforge.connectors.catalog import load_catalog
from flowforge.connectors.sdk import Connector
from flowforge.language.filters.all_filters import FILTERS
from flowforge.settings import Settings
from flowforge.triggers.kinds import trigger_kinds
from webapp.ui.fields import Field, fields_of

_KINDS = {
    "lines": "text of several lines",
    "switch": "yes or no",
    "choices": "several of a choice",
    "map": "names and values",
    "list": "list",
    "records": "list of objects",
    "json": "any value",
    "secret_lines": "secret",
    "secrets": "secrets",
    "variants": "one of several shapes",
    "constant": "fixed",
}
"""Kinds of fields whose names say too little."""

Pages = Mapping[str, str]
"""Paths below the reference, and the Markdown of each."""


def reference_pages() -> Pages:
    return {
        "actions.md": _actions(),
        "triggers.md": _triggers(),
        "filters.md": _filters(),
        "settings.md": _settings(),
    }


def _actions() -> str:
    found = sorted(load_catalog().connectors(), key=lambda each: (each.service.casefold(), each.title.casefold()))
    sections = groupby(found, key=lambda each: each.service)
    return _page("Actions", "What the steps of a workflow can do, and the fields of each.", map(_service, sections))


def _service(group: tuple[str, Iterable[Connector[Any]]]) -> str:
    service, actions = group
    return "\n\n".join([f"## {service or 'Built in'}", *map(_action, actions)])


def _action(action: Connector[Any]) -> str:
    connections = ", ".join(f"`{kind.type}`" for kind in action.connections)
    lines = [f"### {action.title} {{: #{_anchor(action.type)} }}", f"`{action.type}` · {action.help}"]
    lines += [f"Connections: {connections}."] if connections else []
    return "\n\n".join([*lines, _fields(action.config.model_json_schema(by_alias=True))])


def _triggers() -> str:
    return _page(
        "Triggers",
        "What starts a workflow, and the fields of each. How they behave stands in [triggers](../triggers.md).",
        (
            f"## {kind.title}\n\n`{kind.type}` · {kind.help}\n\n{_fields(kind.config_schema())}"
            for kind in trigger_kinds().values()
        ),
    )


def _filters() -> str:
    rows = [(f"`{_cell(each.usage)}`", each.help) for _, each in sorted(FILTERS.items())]
    introduction = "What can stand behind `|` in an [expression](../language.md)."
    return _page("Filters", introduction, [_table(("filter", "what it does"), rows)])


def _settings() -> str:
    rows = [_setting(field) for field in Settings.model_fields.values()]
    introduction = "Environment variables, or lines of `.env`. [Operations](../operations.md) tells how they are used."
    return _page("Settings", introduction, [_table(("variable", "default", "meaning"), rows)])


def _setting(field: FieldInfo) -> Sequence[str]:
    alias = field.validation_alias
    names = alias.choices if isinstance(alias, AliasChoices) else [alias]
    default = "" if field.default in (PydanticUndefined, None, "") else f"`{_plain(field.default)}`"
    return " or ".join(f"`{name}`" for name in names), default, field.description or ""


def _plain(default: object) -> str:
    return str(default).lower() if isinstance(default, bool) else str(default)


def _fields(schema: Mapping[str, Any]) -> str:
    rows = [_row(field) for field in _with_inner(fields_of(schema))]
    return _table(("key", "field", "value", "meaning"), rows) if rows else "It has no fields."


def _with_inner(fields: Sequence[Field], prefix: str = "") -> Iterator[tuple[str, Field]]:
    """The fields, and below each object its own."""
    for field in fields:
        key = f"{prefix}{field.key}"
        yield key, field
        if field.kind in ("object", "records"):
            yield from _with_inner(field.inner, f"{key}[]." if field.kind == "records" else f"{key}.")


def _row(named: tuple[str, Field]) -> Sequence[str]:
    key, field = named
    return f"`{key}`", _cell(field.label), _value(field), f"{_cell(field.help)}{_usual(field)}"


def _value(field: Field) -> str:
    kind = " or ".join(f"`{choice}`" for choice in field.choices) if field.kind == "choice" else ""
    return f"{kind or _KINDS.get(field.kind, field.kind)}{', required' if field.required else ''}"


def _usual(field: Field) -> str:
    return "" if field.default in (None, "", [], {}) else f" Default: `{_cell(_plain(field.default))}`."


def _page(title: str, introduction: str, sections: Iterable[str]) -> str:
    return "\n\n".join([f"# {title}", introduction, *sections]) + "\n"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(map(_cell, row))} |" for row in (head, ["---"] * len(head), *rows))


def _cell(text: str) -> str:
    """A text that stays one cell."""
    return " ".join(text.split()).replace("\\|", "|").replace("|", "\\|")


def _anchor(type_: str) -> str:
    return type_.lower().replace("_", "-")
