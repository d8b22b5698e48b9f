"""Titles and icons of steps and their types."""

from __future__ import annotations

import re
from dataclasses import dataclass

from flowforge.connectors.catalog import Catalog
from flowforge.language.blocks import BLOCKS
from flowforge.language.bodies import BodyKind
from flowforge.summaries import NO_SUMMARY, Summary
from webapp.translation.texts import gettext, translated


@dataclass(frozen=True, slots=True)
class StepKind:
    """A type of steps as people see it."""

    title: str
    help: str
    icon: str
    keywords: tuple[str, ...] = ()
    summary: Summary = NO_SUMMARY


def kind_of(catalog: Catalog, type_: str) -> StepKind:
    """The kind of a type in capitals, also of one that does not exist."""
    block = BLOCKS.get(type_)
    if block is not None:
        return StepKind(translated(block.title), translated(block.help), block.icon, block.keywords, block.summary)
    if type_ in catalog:
        connector = catalog.get(type_)
        title, help_ = translated(connector.title), translated(connector.help)
        return StepKind(title, help_, connector.icon, connector.keywords, connector.summary)
    return StepKind(type_ or gettext("No type"), "", "alert")


def title_of(catalog: Catalog, type_: str, name: str | None, id_: str | None) -> str:
    """Choose the title of a step on every page: its name, else an id written by hand, else the title of its type."""
    chosen = id_ if id_ and not re.fullmatch(rf"{re.escape(type_)}(_\d+)?", id_, re.IGNORECASE) else None
    return name or chosen or kind_of(catalog, type_).title


def title_of_list(type_: str, kind: BodyKind, name: str) -> str:
    """Choose the heading of a list of steps inside a step of that type; `name` is the list's own, as plans have it."""
    if kind is BodyKind.HANDLER:
        return gettext("If it fails")
    if kind is BodyKind.REJECTION:
        return gettext("Rejected")
    block = BLOCKS.get(type_)
    if kind is BodyKind.LOOP:
        return translated(block.loop.title) if block and block.loop else gettext("Repeated")
    return gettext("Otherwise") if name == "else" else name
