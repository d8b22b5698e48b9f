"""WAIT: rests for a time, until a call, or until a person decides."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from flowforge import jsonio
from flowforge.durations import in_units
from flowforge.fields import field
from flowforge.language.block import Block, BlockConfig, ConfigUnusable
from flowforge.language.wait_form import WAIT_VIEW
from flowforge.sentences import sentence
from flowforge.summaries import first_of

LONGEST_WAIT_SECONDS = 366 * 86_400.0


def _moment(value: Any) -> Any:
    return jsonio.parse_time(value) if isinstance(value, str) else value


class WaitConfig(BlockConfig):
    """One of `seconds`, `until` and `for`."""

    literal = frozenset({"for"})

    seconds: float | None = Field(
        None, title="Seconds", ge=0, le=LONGEST_WAIT_SECONDS, allow_inf_nan=False, description="How long to wait"
    )
    until: Annotated[datetime | None, BeforeValidator(_moment)] = Field(
        None, title="Until", description="Wait until this moment; ISO-8601, UTC where no zone is given"
    )
    for_: Literal["resume", "approval"] | None = Field(
        None,
        alias="for",
        title="For",
        description="Wait until a resume link is called, or until a person approves or rejects",
    )
    message: str | None = field(
        None, multiline=True, title="Question", description="Shown to the approver", max_length=2_000
    )
    timeout: float | None = Field(
        None,
        title="Give up after (seconds)",
        gt=0,
        le=LONGEST_WAIT_SECONDS,
        allow_inf_nan=False,
        description="Of a wait for a call or a person; by default it waits for 30 days",
    )
    on_timeout: Literal["continue", "fail"] = Field("fail", title="When it times out")

    @model_validator(mode="after")
    def _one_of_three(self) -> WaitConfig:
        chosen = [choice for choice in (self.seconds, self.until, self.for_) if choice is not None]
        if not chosen:
            raise ValueError(sentence("is missing; it needs one of 'seconds', 'until' and 'for'"))
        if len(chosen) > 1:
            raise ValueError(sentence("needs one of 'seconds', 'until' and 'for'"))
        return self

    def ends(self, now: datetime) -> datetime:
        """The moment at which a wait that begins now is over. Raises ConfigUnusable where that is too far away."""
        if self.until is None:
            return now + timedelta(seconds=self.seconds or 0.0)
        if self.until - now > timedelta(seconds=LONGEST_WAIT_SECONDS):
            days = LONGEST_WAIT_SECONDS / 86_400
            raise ConfigUnusable(f"the config of WAIT cannot be used: until must be at most {days:g} days from now")
        return self.until


def _is_resumed_from_outside(config: Mapping[str, Any]) -> bool:
    return config.get("for") is not None


def _asks_for_approval(config: Mapping[str, Any]) -> bool:
    return config.get("for") == "approval"


def _summary(config: Mapping[str, Any]) -> Any:
    if config.get("message") or config.get("seconds") is None:
        return first_of("message", "until", "for")(config)
    amount, unit = in_units(config["seconds"])
    return f"{amount} {unit}"


BLOCK = Block(
    "WAIT",
    WaitConfig,
    title="Wait",
    help="Waits for a duration, for a call, or for a person's approval",
    icon="clock",
    keywords=("delay", "sleep", "pause", "approval"),
    summary=_summary,
    output={
        "body": "what the call that ended the wait brought along",
        "approved": "whether the person approved",
        "comment": "what the person added",
        "by": "the user name of the person, where they were signed in",
        "resumedAt": "when the call or the person came",
        "timedOut": "true where nobody came in time",
    },
    can_be_rejected=_asks_for_approval,
    can_be_resumed=_is_resumed_from_outside,
    form_view=WAIT_VIEW,
)
