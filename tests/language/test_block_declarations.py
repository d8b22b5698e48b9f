"""Every block says of itself what the rest of the product needs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from flowforge.execution.blocks import behaviour_of
from flowforge.icons import icon_names
from flowforge.language.block import Block, Loop, NoConfig
from flowforge.language.blocks import BLOCKS
from flowforge.language.bodies import Bodies
from flowforge.language.plan import compile_plan

_DOCS = (Path(__file__).parents[2] / "docs" / "language.md").read_text()
each_block = pytest.mark.parametrize("block", BLOCKS.values(), ids=lambda block: block.type)


@each_block
def test_its_icon_is_one_of_the_sprite(block: Block[Any]) -> None:
    assert block.icon in icon_names()


@each_block
def test_fields_with_a_rule_of_their_own_are_fields_of_its_config(block: Block[Any]) -> None:
    fields = {field.alias or name for name, field in block.config.model_fields.items()}
    named = {block.workflow_field} if block.workflow_field else set()
    assert block.config.literal | block.config.evaluated_inside | named <= fields


@each_block
def test_it_is_documented_with_what_it_gives(block: Block[Any]) -> None:
    [row] = re.findall(rf"^\| `{block.type}` \|.*$", _DOCS, re.MULTILINE)
    assert {name for name in block.output if f"`{name}`" not in row} <= {"resumedAt"}


@each_block
def test_it_says_what_it_does_in_an_execution(block: Block[Any]) -> None:
    plan = compile_plan({"actions": [{"type": block.type, "branches": [], "actions": []}]}, templated=True)
    first = plan.first()
    assert first is not None
    assert behaviour_of(first) is not None


def test_what_runs_again_and_again_says_what_one_run_is_called() -> None:
    with pytest.raises(ValueError, match="`loop` belongs to a block with `actions`"):
        Block("ODD", NoConfig, "Odd", "", "loop", bodies=Bodies.ACTIONS)
    with pytest.raises(ValueError, match="`loop` belongs to a block with `actions`"):
        Block("ODD", NoConfig, "Odd", "", "loop", loop=Loop("round", "Each round", {}))
