"""The texts that kinds declare for people: titles, labels, helps and choices, as pages show them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any, Protocol

from flowforge.connectors.catalog import load_catalog
from flowforge.connectors.presets.all_presets import presets
from flowforge.connectors.presets.preset import Preset
from flowforge.language.block import Block
from flowforge.language.blocks import BLOCKS
from flowforge.language.definition import WorkflowSettings
from flowforge.language.filters.all_filters import FILTERS
from flowforge.onboarding.gallery import templates
from flowforge.onboarding.guide import TITLES
from flowforge.onboarding.template import Template
from flowforge.triggers.json_schema import object_schema
from flowforge.triggers.kind import TriggerKind
from flowforge.triggers.kinds import trigger_kinds
from webapp.ui.fields import Field, fields_of


class _Kind(Protocol):
    @property
    def title(self) -> str: ...
    @property
    def help(self) -> str: ...


def declared_texts() -> Mapping[str, str]:
    """All of them, each with the name of the first kind that has it."""
    found: dict[str, str] = {}
    for name, text in chain(*(found() for found in _KINDS)):
        if text:
            found.setdefault(text, name)
    return found


Named = Iterator[tuple[str, str]]
"""The name of what declares it, and a text."""


def _connectors() -> Named:
    for connector in load_catalog().connectors():
        yield from _kind(f"action {connector.type}", connector, connector.config_schema())


def _connections() -> Named:
    for kind in load_catalog().connection_kinds.values():
        yield from _kind(f"connection {kind.type}", kind, kind.config_schema())
    for name, preset in presets().items():
        yield from _kind(f"preset {name}", preset, {})
        yield from _under(f"preset {name}", *_texts_of_sign_in(preset))


def _triggers() -> Named:
    for kind in trigger_kinds().values():
        yield from _kind(f"trigger {kind.type}", kind, _schema_of_form(kind))


def _blocks() -> Named:
    for block in BLOCKS.values():
        name = f"block {block.type}"
        yield from _kind(name, block, _schema_of_form(block))
        if block.loop:
            yield from _under(name, block.loop.noun, block.loop.title, *(r.title for r in block.loop.roots.values()))


def _schema_of_form(kind: TriggerKind[Any] | Block[Any]) -> Mapping[str, Any]:
    """The schema of what people fill in."""
    schema = kind.config_schema()
    return kind.form_view.schema(schema) if kind.form_view else schema


def _settings_of_workflows() -> Named:
    yield from _under("settings of a workflow", *_texts_of_fields(fields_of(object_schema(WorkflowSettings))))


def _filters() -> Named:
    for name, one in sorted(FILTERS.items()):
        yield f"filter {name}", one.help


def _templates() -> Named:
    for name, template in templates().items():
        yield from _under(f"template {name}", *_texts_of_template(template))


def _guide() -> Named:
    yield from _under("guide", *TITLES.values())


def _texts_of_template(template: Template) -> Iterator[str]:
    yield from (template.title, template.text, template.group)
    for field in template.fields:
        yield from (field.label, field.hint)


def _texts_of_sign_in(preset: Preset) -> Iterator[str]:
    if preset.account:
        yield from (preset.account.title, preset.account.description)
    for scope in preset.scopes:
        yield from (scope.product, scope.words)


def _kind(name: str, kind: _Kind, schema: Mapping[str, Any]) -> Named:
    yield from _under(name, kind.title, kind.help, *_texts_of_fields(fields_of(schema)))


def _under(name: str, *texts: str) -> Named:
    for text in texts:
        yield name, text


def _texts_of_fields(fields: Iterable[Field]) -> Iterator[str]:
    for field in fields:
        yield from (field.label, field.help, field.group, field.entry)
        yield from (field.labels or {}).values()
        yield from (label for _, label in field.suggestions)
        alternatives = field.alternatives_of_record(0)
        yield from _texts_of_fields(alternatives.variants if alternatives else field.inner)


_KINDS = (
    _connectors,
    _connections,
    _triggers,
    _blocks,
    _settings_of_workflows,
    _filters,
    _templates,
    _guide,
)
