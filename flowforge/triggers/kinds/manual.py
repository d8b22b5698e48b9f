"""Started by hand only: by a person, or by another workflow."""

from __future__ import annotations

from flowforge.triggers.kind import TriggerConfig, TriggerKind

MANUAL = "manual"


class Manual(TriggerKind[TriggerConfig]):
    type = MANUAL
    title = "Manual"
    help = "When Run is clicked, or another workflow runs it"
    icon = "manual"
    keywords = (
        "button",
        "subworkflow",
    )
    rank = 90
    config = TriggerConfig
    is_registered = False


KIND = Manual()
