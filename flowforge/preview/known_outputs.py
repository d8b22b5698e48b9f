"""Outputs that are known before a run: pinned, computed, or recorded by the latest execution."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from flowforge.jsonio import JsonObject
from flowforge.language.expressions.unknown_values import Unknown, first_unknown
from flowforge.language.plan import Step, can_be_pinned
from flowforge.preview.last_outputs import LastOutputs
from flowforge.workflows.pins import TRIGGER

Source = Literal["pinned", "execution", "computed", "sample", "unknown"]


@dataclass(frozen=True, slots=True)
class KnownOutput:
    """The output of a step, and where it comes from."""

    value: JsonObject | Unknown
    source: Source


@dataclass(frozen=True, slots=True)
class KnownOutputs:
    """Outputs and other data that are known without a walk."""

    pinned: Mapping[str, JsonObject] = field(default_factory=dict)
    """Pinned outputs by the step's id; `trigger` for the payload."""
    last: LastOutputs = LastOutputs()  # noqa: RUF009  (frozen)

    sample: JsonObject = field(default_factory=dict)
    """A payload as the kind of the trigger gives it, for want of a real one."""

    @property
    def trigger(self) -> JsonObject:
        return self.pinned.get(TRIGGER) or self.last.trigger or self.sample

    @property
    def trigger_source(self) -> Source:
        if self.pinned.get(TRIGGER):
            return "pinned"
        return "execution" if self.last.trigger else "sample" if self.sample else "unknown"

    def output(self, step: Step, computed: JsonObject | None, *, recorded: bool) -> KnownOutput:
        """The first of these that is known: pinned, computed, of the latest execution (`recorded`: whether that is the
        same round of its loop), computed in part."""
        if step.id in self.pinned and step.id != TRIGGER and can_be_pinned(step.type):
            return KnownOutput(self.pinned[step.id], "pinned")
        last = self.last.outputs.get((step.id, step.type)) if recorded else None
        if computed is not None and (last is None or first_unknown(computed) is None):
            return KnownOutput(computed, "computed")
        return KnownOutput(Unknown(step.id), "unknown") if last is None else KnownOutput(last, "execution")

    def item(self, step: Step) -> Any:
        """The first item of a loop whose list is not known."""
        return self.last.items.get((step.id, step.type), Unknown("item", is_root=True))

    def error(self, step: Step) -> JsonObject | None:
        """The error of the step in the latest execution."""
        recorded = self.last.outputs.get((step.id, step.type), {})
        error = recorded.get("error") if isinstance(recorded, dict) else None
        return error if isinstance(error, dict) else None
