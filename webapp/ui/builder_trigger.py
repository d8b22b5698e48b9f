"""The panel of the trigger: the kinds to choose from, the fields of the chosen one, and what else it shows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from typing import Any

from flowforge import time_zones
from flowforge.connections.views import ConnectionView
from flowforge.connectors.sdk import CONNECTION
from flowforge.language.definition import written_time_zone
from flowforge.triggers.kind import TriggerKind
from flowforge.triggers.kinds import find_kind, trigger_kinds
from flowforge.triggers.kinds.manual import MANUAL
from flowforge.triggers.kinds.webhook import WEBHOOK, usual_method
from flowforge.triggers.registrations import SHOWN_FIRE_TIMES
from flowforge.triggers.views import TriggerView
from flowforge.triggers.webhooks.sample_request import SampleRequest
from webapp.translation.texts import gettext, translated
from webapp.ui.config_forms import ConfigForm, config_form
from webapp.ui.fields import Field, with_chosen
from webapp.ui.fitting_connections import names_that_fit
from webapp.ui.trigger_kinds import command_for
from webapp.ui.trigger_summaries import in_words

Json = Mapping[str, Any]
Connections = Callable[[], Sequence[ConnectionView]]
"""Looks up the viewer's connections."""


@dataclass(frozen=True, slots=True)
class RegisteredAddress:
    url: str
    command: str | None
    """The line that calls it from a terminal."""


@dataclass(frozen=True, slots=True)
class TriggerPanel:
    type: str
    kind: TriggerKind[Any] | None
    """None for a type that does not exist."""
    config: Json
    zoned: Json
    """The config with the time zone of the workflow, where it needs one and names none."""
    form: ConfigForm
    fields: Sequence[Field]
    times: Sequence[datetime]
    """The next ones, if it begins now."""
    addresses: Sequence[RegisteredAddress]
    """None before it is published."""
    example: Json
    """A payload as the kind gives it."""
    request: SampleRequest | None
    """The request that is offered to be sent for a test; None where the trigger is no webhook."""
    preview: Any
    """A preview of what people will see; None where there is nothing to see."""

    @property
    def title(self) -> str:
        return translated(self.kind.title) if self.kind else gettext("Unknown trigger")

    @property
    def summary(self) -> str:
        return in_words(self.kind.summary(self.zoned)) if self.kind else ""

    @property
    def zone(self) -> tzinfo | None:
        """The time zone of its times, where it says one that there is."""
        try:
            return time_zones.zone(str(self.zoned.get("timeZone"))) if self.times else None
        except ValueError:
            return None

    @property
    def kinds(self) -> Sequence[TriggerKind[Any]]:
        """Those that are offered at once, and the chosen one."""
        return [kind for kind in trigger_kinds().values() if kind.is_common or kind is self.kind]

    @property
    def more_kinds(self) -> Sequence[TriggerKind[Any]]:
        return [kind for kind in trigger_kinds().values() if kind not in self.kinds]


def trigger_panel(
    definition: Json,
    registered: Sequence[TriggerView],
    sample: Json | None,
    connections: Connections,
    wanted: str | None = None,
) -> TriggerPanel:
    """`registered`: the triggers of the workflow as it is published; `sample`: a payload to try it with; `wanted`: the
    way to fill in its form that was chosen just now."""
    written = definition.get("trigger")
    trigger = written if isinstance(written, dict) else {}
    type_ = str(trigger.get("type", MANUAL)).lower()
    kind, config = find_kind(type_), trigger.get("config")
    config = config if isinstance(config, dict) else {}
    zone = written_time_zone(definition)
    zoned = kind.in_zone(config, zone) if kind else config
    form = trigger_form(type_, config, wanted)
    return TriggerPanel(
        type=type_,
        kind=kind,
        config=config,
        zoned=zoned,
        form=form,
        fields=[_with_connections(_in_zone(field, zone), kind, config, connections) for field in form.fields],
        times=kind.upcoming(zoned, datetime.now(UTC), SHOWN_FIRE_TIMES) if kind else (),
        addresses=_addresses(kind, registered, config, sample),
        example=kind.sample(config) if kind else {},
        request=_request(kind, config, sample),
        preview=kind.preview(config) if kind else None,
    )


def _request(kind: TriggerKind[Any] | None, config: Json, sample: Json | None) -> SampleRequest | None:
    if kind is None or kind.type != WEBHOOK:
        return None
    return SampleRequest.of_payload({**kind.sample(config), **(sample or {})}, usual_method(config.get("methods")))


def _with_connections(field: Field, kind: TriggerKind[Any] | None, config: Json, connections: Connections) -> Field:
    """The field as it is; the one that names a connection is a choice of those that the kind takes."""
    if field.key != CONNECTION or kind is None or not kind.connection_kinds:
        return field
    names = names_that_fit(kind.fitting, connections())
    return replace(field, kind="choice", choices=with_chosen(names, config.get(CONNECTION)), default=None)


def _in_zone(field: Field, zone: str | None) -> Field:
    """The field with the time zone of the workflow as its usual one."""
    return replace(field, default=zone) if field.kind == "zone" and zone else field


def trigger_form(type_: str, config: Json, wanted: str | None = None) -> ConfigForm:
    kind = find_kind(type_)
    return config_form(kind.form_schema(config), config, kind.form_view, wanted) if kind else ConfigForm((), {})


def trigger_keys(type_: str) -> frozenset[str]:
    """The keys that any config of that type may have."""
    kind = find_kind(type_)
    return frozenset(kind.config_schema()["properties"] if kind else ())


def _addresses(
    kind: TriggerKind[Any] | None, registered: Sequence[TriggerView], config: Json, sample: Json | None
) -> list[RegisteredAddress]:
    if kind is None:
        return []
    urls = [own.webhook_url for own in registered if own.trigger_type == kind.type]
    return [RegisteredAddress(url, command_for(kind.address, url, config, sample)) for url in urls if url]
