"""The behaviours of the blocks: each file of this package holds one; the file of the same name in
flowforge/language/blocks declares the block."""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from importlib import import_module

from flowforge.execution.block import BlockBehaviour, FrameBehaviour
from flowforge.language.blocks import BLOCKS
from flowforge.language.plan import Step


def _behaviours() -> dict[str, BlockBehaviour]:
    modules = [import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__)]
    found = {module.BEHAVIOUR.name: module.BEHAVIOUR for module in modules}
    if found.keys() != BLOCKS.keys():
        raise RuntimeError(f"blocks without declaration or behaviour: {sorted(found.keys() ^ BLOCKS.keys())}")
    return found


_BEHAVIOURS: Mapping[str, BlockBehaviour] = _behaviours()


def behaviour_of(step: Step) -> BlockBehaviour | None:
    """None for an action of a connector."""
    return _BEHAVIOURS.get(step.type)


def runs_frames(step: Step) -> bool:
    """Whether the step runs what is inside it in frames; a draft may say so of a block that has none."""
    return isinstance(_BEHAVIOURS.get(step.type), FrameBehaviour)


def frame_behaviour_of(step: Step) -> FrameBehaviour:
    """The behaviour of a step that runs what is inside it in frames. Raises TypeError for any other."""
    behaviour = _BEHAVIOURS.get(step.type)
    if not isinstance(behaviour, FrameBehaviour):
        raise TypeError(f"step '{step.id}' ({step.type}) has no frames")
    return behaviour
