"""The declaration of a trigger kind: one file of `flowforge.triggers.kinds` says everything there is to know of it.

class Config(TriggerConfig):
    folder: str = Field("INBOX", title="Folder")

class Mailbox(TriggerKind[Config]):
    type, title, help, icon = "email", "E-mail", "When a mail arrives in a mailbox", "mail"
    config = Config

KIND = Mailbox()
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from flowforge.connectors.fitting import Fitting
from flowforge.connectors.sdk import ConnectionKind
from flowforge.engine.account_access import AccountAccess
from flowforge.errors import Invalid, Problem
from flowforge.fields import is_secret
from flowforge.form_view import FormView
from flowforge.jsonio import JsonObject
from flowforge.language.wording import problems_of
from flowforge.sentences import sentence
from flowforge.triggers.json_schema import object_schema
from flowforge.triggers.summary import TriggerSummary

Json = Mapping[str, Any]
Command = Callable[[str, Json, Json | None], str | None]
"""Writes the line that calls an address from a terminal, given the address, the config and a sample of the payload.
None where there is no such line: calls have to be signed."""


class TriggerConfig(BaseModel):
    """Base of the configs: camelCase outside; unknown keys are ignored; null and empty text count as left out."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="ignore", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _leave_out_blanks(cls, written: Any) -> Any:
        if not isinstance(written, Mapping):
            return written
        return {name: value for name, value in written.items() if value is not None and value != ""}


C = TypeVar("C", bound=TriggerConfig)
Model = type[C]


@dataclass(frozen=True, slots=True)
class Address:
    """The address that a registration gets, `<public base>/<path>/<token>`, and how the builder presents it."""

    path: str
    listening: str
    """Instructions for people while the builder listens for a test call."""
    is_page: bool = False
    """Whether people open it in a browser."""
    command: Command | None = None


@dataclass(frozen=True, slots=True)
class Registered:
    """A registration before it changes."""

    due_at: datetime | None
    enabled: bool
    config: Json

    @property
    def is_waiting(self) -> bool:
        """Whether it is enabled and has a time at which it is due."""
        return self.enabled and self.due_at is not None


@dataclass(frozen=True, slots=True)
class TrialResult:
    """The outcome of a test: `problem` is None where `subject` works."""

    subject: str
    problem: str | None = None
    items: Sequence[Any] | None = None
    """What would be looked through for new ones, as much as can be shown; None where nothing is listed."""
    count: int = 0
    """The number of all of them."""
    sample: JsonObject | None = None
    """The payload to which the newest of them would lead."""

    @property
    def works(self) -> bool:
        return self.problem is None


class TriggerKind(Generic[C]):
    """A kind of trigger. `config` as a parameter is a config as it was written, in any state."""

    type: str
    """The type of its triggers, in lower case."""
    title: str
    help: str
    icon: str
    keywords: tuple[str, ...] = ()
    """Other names that people use for it."""
    rank: int
    """Its rank among the kinds that the builder offers; the lowest comes first."""
    is_common: ClassVar[bool] = True
    """Whether the builder offers it at once, rather than when people ask for more."""
    config: Model[C]
    is_registered: ClassVar[bool] = True
    """Whether it has a registration: a row that says when or where it starts the workflow."""
    has_times: ClassVar[bool] = False
    """Whether it fires at times that can be computed beforehand."""
    can_be_tested: ClassVar[bool] = False
    address: ClassVar[Address | None] = None
    connection_kinds: tuple[ConnectionKind[Any], ...] = ()
    """The kinds of connections that its config may name, under `connection`."""
    form_view: FormView | None = None
    """The fields that people fill in, where others are stored."""

    @property
    def fitting(self) -> Fitting:
        """The connections that it can use."""
        return Fitting(self.connection_kinds)

    def read(self, config: Json) -> C:
        """Raises Invalid with a pointer to each field that cannot be used."""
        try:
            return self.config.model_validate(config)
        except ValidationError as error:
            raise Invalid(problems_of(error)) from None

    def problems(self, config: Json) -> list[Problem]:
        try:
            self.read(config)
        except Invalid as error:
            return list(error.problems)
        return []

    def further_keys(self, config: Json) -> Collection[str]:
        """Keys beside those of `config` that have a meaning in a config as it is written."""
        return ()

    def config_schema(self) -> JsonObject:
        """JSON Schema of a config, for forms and for editors of the text form."""
        return object_schema(self.config)

    def form_schema(self, config: Json) -> JsonObject:
        """JSON Schema of the fields to be drawn for a config, which may depend on what stands in it."""
        del config
        return self.config_schema()

    def secret_keys(self) -> list[str]:
        """The keys under which a config holds secrets."""
        return keys_of_secrets(self.config)

    def summary(self, config: Json) -> TriggerSummary:
        """Sums a config up; never raises."""
        del config
        return TriggerSummary(texts=[self.help])

    def due_at(self, config: Json, before: Registered, now: datetime) -> datetime | None:
        """Compute when a registration that is enabled with a usable config is due next."""
        del config, now
        return before.due_at

    def in_zone(self, config: Json, zone: str | None) -> JsonObject:
        """The config with the time zone of its workflow, where its times need one and it names none."""
        del zone
        return dict(config)

    def kept(self, before: Json, config: Json) -> JsonObject:
        """The config to be stored in place of `before`, with what came there by itself and nobody wrote; secrets are
        sealed."""
        del before
        return dict(config)

    def without_what_came(self, config: Json) -> JsonObject:
        """The config without what came there by itself, which belongs to the address that it has had."""
        return dict(config)

    def upcoming(self, config: Json, moment: datetime, count: int) -> list[datetime]:
        """The next `count` times after `moment`; none of a config that cannot be used."""
        del config, moment, count
        return []

    def sample(self, config: Json) -> JsonObject:
        """A payload as the kind gives it, for use until a real one has come in."""
        del config
        return {}

    def preview(self, config: Json) -> Any:
        """The data for the template `triggers/<type>_preview.html`, which shows in the builder what people will see;
        None where there is nothing to be seen."""
        del config

    def test(self, config: Json, access: AccountAccess) -> TrialResult:
        """Tries a config out, its secrets in clear, without starting anything. Raises Invalid where that cannot be
        done with this kind, Unavailable."""
        raise Invalid.at("/triggerType", sentence("a trigger of the kind %(type)s cannot be tried out", type=self.type))


def keys_of_secrets(model: type[TriggerConfig]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items() if is_secret(field)]
