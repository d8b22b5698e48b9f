"""The fields of a step in the builder, and the place of each problem among them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from flowforge.connectors.account import Account
from flowforge.connectors.catalog import Catalog
from flowforge.connectors.sdk import CONNECTION, Connector
from flowforge.errors import Problem
from flowforge.jsonio import JsonObject
from flowforge.language.blocks import BLOCKS
from flowforge.language.pointers import parsed
from webapp.translation.texts import lazy
from webapp.ui.config_forms import ConfigForm, config_form
from webapp.ui.fields import Field, with_chosen

MORE = lazy("More options")
"""The group of fields that have none."""
_MOST_ESSENTIALS = 6
_FEWEST_OPTIONAL = 2


def form_of_step(
    catalog: Catalog,
    type_: str,
    config: Mapping[str, Any],
    account: Account,
    connections: Mapping[str, Sequence[str]] | None = None,
    wanted: str | None = None,
) -> ConfigForm:
    """The form for a config; without fields where the type is unknown. The connection comes first, where the type takes
    one. `connections`: names by type. `wanted`: the way to fill it in that was chosen just now."""
    if type_ in BLOCKS:
        block = BLOCKS[type_]
        return config_form(block.config_schema(), config, block.form_view, wanted)
    if type_ not in catalog.types():
        return ConfigForm((), dict(config))
    connector = catalog.get(type_)
    schema = connector.config_schema()
    if connector.described is not None:
        schema = connector.described.schema(schema, config, account)
    form, kinds = config_form(schema, config), catalog.kinds_for(connector)
    known = [name for kind in kinds for name in (connections or {}).get(kind.type, ())]
    names = with_chosen(known, config.get(CONNECTION))
    own = [_connection_field(connector, form.fields, names, str(schema.get("signIn", "")))] if kinds else []
    about = str(schema.get("description", "")) if connector.described else ""
    return replace(form, fields=[*own, *form.fields], about=about)


def essentials_first(fields: Sequence[Field], filled: Sequence[str]) -> list[Field]:
    """The fields as a form draws them: those without a group first. Where they are many, the optional ones after the
    first few are a group as well. `filled`: the keys of those that the chosen connection fills in."""
    free = [field for field in fields if not field.group and field.key not in filled]
    essential = free if len(free) <= _MOST_ESSENTIALS else _first_of(free)
    others = [field for field in fields if field not in essential]
    return [*essential, *(field if field.group else replace(field, group=MORE) for field in others)]


def _first_of(fields: Sequence[Field]) -> list[Field]:
    needed = [field for field in fields if field.required or field.key == CONNECTION]
    count = max(_MOST_ESSENTIALS - len(needed), _FEWEST_OPTIONAL)
    return needed + [field for field in fields if field not in needed][:count]


def _connection_field(connector: Connector[Any], fields: Sequence[Field], names: Sequence[str], asked: str) -> Field:
    """`asked`: how the API wants to know who calls."""
    titles = [field.label for field in fields if field.key in connector.shared_fields]
    help_text = f"Fills in what is left empty here of: {', '.join(titles)}." if titles else asked
    return Field(CONNECTION, "Connection", help_text, "choice", not titles and not connector.any_signer, None, names)


def paths_of(fields: Sequence[Field], config: JsonObject, prefix: str = "config") -> Iterator[str]:
    """The paths of all fields that are drawn: `config/url`, `config/input/query/limit`."""
    for field in fields:
        path = f"{prefix}/{field.key}"
        yield _as_place(path)
        yield from _paths_inside(field, config, path)


def _paths_inside(field: Field, config: JsonObject, path: str) -> Iterator[str]:
    if field.kind == "records":
        for number, record in enumerate(field.records(config)):
            alternatives = field.alternatives_of_record(number)
            if alternatives is None:
                yield from paths_of(field.inner, record, f"{path}/{number}")
            else:
                yield from paths_of([alternatives], {alternatives.key: record}, path)
    elif field.kind == "object" and field.is_drawn(config):
        yield from paths_of(field.inner, field.inside(config), path)
    elif field.kind == "variants":
        chosen = field.variant(config)
        if chosen is not None:
            yield from _paths_inside(field.variants[chosen], config, path)


def notes_of(at: str, problems: Sequence[Problem], drawn: Collection[str]) -> dict[str, str]:
    """The first problem of each field, by its path; what is wrong inside a field that is not drawn further is the
    field's. `drawn`: the paths of the fields."""
    notes: dict[str, str] = {}
    for problem in problems:
        parts = [str(part) for part in parsed(problem.pointer.removeprefix(at))]
        depth = _depth(parts, drawn)
        inside = " › ".join(parts[depth:])
        message = f"{inside}: {problem.message}" if inside else problem.message
        notes.setdefault(_as_place("/".join(parts[:depth])), message)
    return notes


def _depth(parts: Sequence[str], drawn: Collection[str]) -> int:
    """The number of parts that lead to the innermost field."""
    depths = (depth for depth in range(len(parts), 0, -1) if _as_place("/".join(parts[:depth])) in drawn)
    return next(depths, 3 if parts[:1] == ["branches"] else 2)


def _as_place(path: str) -> str:
    """The path as forms write it, where names of fields are joined by dots."""
    return path.replace(".", "/")
