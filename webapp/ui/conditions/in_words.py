"""Conditions as cards show them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from flowforge.jsonio import JsonObject
from flowforge.language.blocks import BLOCKS
from webapp.translation.texts import gettext
from webapp.ui.conditions.operands import bare
from webapp.ui.conditions.reading import read_condition
from webapp.ui.conditions.rows import OPERATORS, UNARY, Group, Member, Row

_SEVERAL = re.compile(r"\}\}.*\{\{", re.DOTALL)
"""More than one expression in a text."""


def with_conditions_in_words(type_: str, config: Mapping[str, Any]) -> JsonObject:
    """A block's config, or the effect of one, with its conditions as people read them."""
    block = BLOCKS.get(type_)
    names = block.config.conditions if block else frozenset()
    return {name: in_words(value) if name in names else value for name, value in config.items()}


def in_words(written: object) -> str:
    """`trigger.body.total is greater than 100`; of another expression what stands between its braces; empty where
    nothing is said yet."""
    text = written if isinstance(written, str) else "" if written is None else str(written).lower()
    group = read_condition(text)
    if group is None:
        return text if _SEVERAL.search(text) else bare(text)
    return _of_group(group)


def _of_group(group: Group) -> str:
    word = gettext("and") if group.match == "all" else gettext("or")
    return f" {word} ".join(_of_member(member) for member in group.members if member != Row())


def _of_member(member: Member) -> str:
    return f"({_of_group(member)})" if isinstance(member, Group) else _of_row(member)


def _of_row(row: Row) -> str:
    left, right = row.left or "…", "" if row.operator in UNARY else f" {row.right or '…'}"
    return left if row.operator == "truthy" else f"{left} {OPERATORS[row.operator]}{right}"
