"""The fields of a step in the builder, and the place of each problem among them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from flowforge.connections.views import ConnectionView
from flowforge.connectors.account import Account
from flowforge.connectors.catalog import Catalog
from flowforge.connectors.sdk import CONNECTION, Connector
from flowforge.errors import Problem
from flowforge.jsonio import JsonObject
from flowforge.language.blocks import BLOCKS
from flowforge.language.pointers import parsed
from webapp.translation.texts import gettext, lazy, said
from webapp.ui.config_forms import ConfigForm, config_form
from webapp.ui.fields import Field, with_chosen
from webapp.ui.fitting_connections import names_that_fit

MORE = lazy("More options")
"""The group of fields that have none."""
_MOST_ESSENTIALS = 6
_FEWEST_OPTIONAL = 2


def form_of_step(
    catalog: Catalog,
    type_: str,
    config: Mapping[str, Any],
    account: Account,
    connections: Sequence[ConnectionView] = (),
    wanted: str | None = None,
) -> ConfigForm:
    """The form for a config; without fields where the type is unknown. The connection comes first, where the type takes
    one. `connections`: those of the account. `wanted`: the way to fill it in that was chosen just now."""
    if type_ in BLOCKS:
        block = BLOCKS[type_]
        return config_form(block.config_schema(), config, block.form_view, wanted)
    if type_ not in catalog:
        return ConfigForm((), dict(config))
    connector = catalog.get(type_)
    schema = connector.config_schema()
    if connector.described is not None:
        schema = connector.described.schema(schema, config, account)
    form, fitting = config_form(schema, config), catalog.fitting(connector)
    names = with_chosen(names_that_fit(fitting, connections), config.get(CONNECTION))
    own = [_connection_field(connector, form.fields, names, str(schema.get("signIn", "")))] if fitting.kinds else []
    about = str(schema.get("description", "")) if connector.described else ""
    return replace(form, fields=[*own, *form.fields], about=about)


_IS_WHOLE = re.compile(r"(there|this|the|step|an?|it|one|give)\b|['{]")
"""How messages begin that have a subject of their own, so that the label of a field cannot be it."""


def essentials_first(fields: Sequence[Field], filled: Sequence[str]) -> list[Field]:
    """The fields as a form draws them: those without a group first. Where they are many, the optional ones after the
    first few are a group as well. `filled`: the keys of those that the chosen connection fills in."""
    free = [field for field in fields if not field.group and field.key not in filled]
    essential = free if len(free) <= _MOST_ESSENTIALS else _first_of(free)
    others = [field for field in fields if field not in essential]
    return [*essential, *(field if field.group else replace(field, group=MORE) for field in others)]


def _first_of(fields: Sequence[Field]) -> list[Field]:
    needed = [field for field in fields if field.required or field.is_chooser or field.key == CONNECTION]
    count = max(_MOST_ESSENTIALS - len(needed), _FEWEST_OPTIONAL)
    optional = [field for field in fields if field not in needed][:count]
    return [field for field in fields if field in needed or field in optional]


def _connection_field(connector: Connector[Any], fields: Sequence[Field], names: Sequence[str], asked: str) -> Field:
    """`asked`: how the API wants to know who calls."""
    titles = [field.label for field in fields if field.key in connector.shared_fields]
    help_text = (
        gettext("Provides these fields where they are empty: %(fields)s.", fields=", ".join(titles))
        if titles
        else asked
    )
    return Field(
        CONNECTION, gettext("Connection"), help_text, "choice", not titles and not connector.any_signer, None, names
    )


def labels_of(fields: Sequence[Field], config: JsonObject, prefix: str = "config") -> dict[str, str]:
    """The labels of all fields that are drawn, by their paths: `config/url`, `config/input/query/limit`."""
    return dict(_labelled(fields, config, prefix))


def _labelled(fields: Sequence[Field], config: JsonObject, prefix: str) -> Iterator[tuple[str, str]]:
    for field in fields:
        path = f"{prefix}/{field.key}"
        yield _as_place(path), field.label
        yield from _labelled_inside(field, config, path)


def _labelled_inside(field: Field, config: JsonObject, path: str) -> Iterator[tuple[str, str]]:
    if field.kind == "records":
        for number, record in enumerate(field.records(config)):
            alternatives = field.alternatives_of_record(number)
            if alternatives is None:
                yield from _labelled(field.inner, record, f"{path}/{number}")
            else:
                yield from _labelled([alternatives], {alternatives.key: record}, path)
    elif field.kind == "object" and field.is_drawn(config):
        yield from _labelled(field.inner, field.inside(config), path)
    elif field.kind == "variants":
        chosen = field.variant(config)
        if chosen is not None:
            yield from _labelled_inside(field.variants[chosen], config, path)


def notes_of(at: str, problems: Sequence[Problem], labels: Mapping[str, str]) -> dict[str, str]:
    """The first problem of each field, by its path, as a sentence that begins with its label. `labels`: those of the
    fields, by path."""
    notes: dict[str, str] = {}
    for problem in problems:
        place, sentence = put_into_words(at, problem, labels)
        notes.setdefault(place, sentence)
    return notes


def put_into_words(at: str, problem: Problem, labels: Mapping[str, str]) -> tuple[str, str]:
    """The path of the field that a problem of the part at the pointer is about, and a sentence that begins with its
    label. What is wrong inside a field that is not drawn further is the field's."""
    parts = [str(part) for part in parsed(problem.pointer.removeprefix(at))]
    depth = _depth(parts, labels)
    place = _as_place("/".join(parts[:depth]))
    own = [labels[place]] if place in labels else [part for part in parts[:depth] if part != "config"]
    message = _with_labels(said(problem.message), labels)
    label = " › ".join([*own, *parts[depth:]])
    joint = ": " if _IS_WHOLE.match(problem.message) else " "
    return place, f"{label}{joint}{message}" if label else message


def _with_labels(message: str, labels: Mapping[str, str]) -> str:
    """The message with labels in the place of keys that it names."""
    names = {key: label for path, label in labels.items() if (key := path.removeprefix("config/")).isidentifier()}

    def label(found: re.Match[str]) -> str:
        word = found[0]
        is_meant = found.start() == 0 or any(char.isupper() for char in word[1:])
        return names.get(word, word) if is_meant else word

    return re.sub(r"\b[a-z]\w*", label, message)


def _depth(parts: Sequence[str], drawn: Collection[str]) -> int:
    """The number of parts that lead to the innermost field."""
    depths = (depth for depth in range(len(parts), 0, -1) if _as_place("/".join(parts[:depth])) in drawn)
    return next(depths, 3 if parts[:1] == ["branches"] else 2)


def _as_place(path: str) -> str:
    """The path as forms write it, where names of fields are joined by dots."""
    return path.replace(".", "/")
