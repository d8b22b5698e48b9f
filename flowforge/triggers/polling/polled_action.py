"""Triggers that actions declare: the action is run again and again, and what is new in its list starts the workflow."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

from flowforge import jsonio
from flowforge.connectors.fitting import Fitting
from flowforge.connectors.sdk import CONNECTION, ConnectionKind, Connector, ConnectorError, Polls
from flowforge.db.engine import transaction
from flowforge.engine.account_access import AccountAccess
from flowforge.errors import Invalid, Problem
from flowforge.jsonio import JsonObject
from flowforge.language.text_fields import spellings
from flowforge.secrets import SecretUnreadable
from flowforge.sentences import sentence
from flowforge.settings import Settings
from flowforge.triggers.json_schema import object_schema
from flowforge.triggers.kind import TrialResult
from flowforge.triggers.polling import memory
from flowforge.triggers.polling.asking import Question, ask, problems_of_expressions
from flowforge.triggers.polling.config import EventPer, PollConfig
from flowforge.triggers.polling.items import items_of
from flowforge.triggers.polling.kind import PolledKind
from flowforge.triggers.polling.poll import Poll
from flowforge.triggers.polling.sighting import Sighting, payload_of
from flowforge.triggers.schedules.schedule_form import schedule_view
from flowforge.triggers.schedules.times import in_zone
from flowforge.triggers.summary import TriggerSummary

_GROUP = "Detecting new items"
_SHOWN_ITEMS = 20
_DEFAULTS = {"items": "items", "itemId": "item_id", "growing": "growing"}
"""What a declaration may say of these keys of the config."""


class PolledAction(PolledKind[PollConfig]):
    """The kind that an action declares: its config has the fields of the action, and those of PollConfig."""

    config = PollConfig
    form_view = schedule_view(PollConfig.usual_minutes)
    is_common = False
    can_be_tested = True

    def __init__(
        self, connector: Connector[Any], polls: Polls, connections: Sequence[ConnectionKind[Any]], rank: int
    ) -> None:
        self.type = connector.type.lower()
        self.title, self.help, self.icon = polls.title, polls.help, connector.icon
        self.keywords, self.rank = ("new", "poll", *connector.keywords), rank
        self.connection_kinds = tuple(connections)
        self._connector, self._polls = connector, polls

    @property
    def fitting(self) -> Fitting:
        return Fitting(self.connection_kinds, self._connector.host, self._connector.mail)

    def problems(self, config: Mapping[str, Any]) -> list[Problem]:
        found = super().problems(config)
        if not found:
            found = self._problems_of_polling(self.read(config))
        action = self._action_config(config)
        found += self._connector.problems(self._connector.given(action), "")
        return found or problems_of_expressions(self._connector.type, action)

    def further_keys(self, config: Mapping[str, Any]) -> Collection[str]:
        fields = self._connector.config.model_fields.items()
        return {CONNECTION, *(key for name, field in fields for key in spellings(name, field))}

    def config_schema(self) -> JsonObject:
        """The connection, the fields of the action without those that are fixed, those of the polls."""
        action = self._connector.config_schema()
        properties = {name: field for name, field in action["properties"].items() if name not in self._polls.fixed}
        connection = {CONNECTION: self._connection_field()} if self.connection_kinds else {}
        required = [name for name in action.get("required", ()) if name not in self._polls.fixed]
        return {
            **object_schema(PollConfig),
            "title": self.title,
            "required": [*self._required_connection(), *required],
            "properties": connection | properties | self._poll_fields(),
        }

    def secret_keys(self) -> list[str]:
        return list(self._connector.secret_keys())

    def summary(self, config: Mapping[str, Any]) -> TriggerSummary:
        about = self._connector.summary(config) or config.get(CONNECTION)
        subject = about if isinstance(about, str) else ""
        try:
            return TriggerSummary(subject, times=self.read(config).pattern)
        except Invalid as error:
            return TriggerSummary(subject, problem=str(error))

    def in_zone(self, config: Mapping[str, Any], zone: str | None) -> JsonObject:
        return in_zone(config, zone)

    def next_poll(self, config: Mapping[str, Any], settings: Settings, now: datetime) -> datetime:
        try:
            return next(self.read(config).pattern.after(now, now)).astimezone(UTC)
        except (Invalid, ValueError, OverflowError):
            return super().next_poll(config, settings, now)

    def sample(self, config: Mapping[str, Any]) -> JsonObject:
        return self._payload(config, self._polls.sample or {"id": 17})

    def poll(self, poll: Poll) -> bool:
        config, action, trigger = self.read(poll.trigger.config), self._action_config(poll.trigger.config), poll.trigger
        with transaction(poll.backends.engine) as connection:
            before = memory.load(connection, trigger.id)
        source, began = self._source(action), datetime.now(UTC)
        question = Question(
            self._connector.type,
            action,
            trigger.user_id,
            _known(before.polled_at or trigger.updated_at, before.highest),
            poll.access.deadline,
            trigger.workflow_id,
            before.recall(source),
        )
        output = ask(poll.backends, question)
        if question.recall.is_unchanged:
            return False
        items = items_of(output, config, self._polls)
        return Sighting(poll, config, before, source, items, question.recall.kept, began).take()

    def test(self, config: Mapping[str, Any], access: AccountAccess) -> TrialResult:
        """Asks once, and shows what there is; nothing is remembered."""
        try:
            action, known = self._action_config(config), _known(datetime.now(UTC), None)
            question = Question(self._connector.type, action, access.user_id, known, access.deadline)
            items = items_of(ask(access.backends, question), self.read(config), self._polls)
        except (Invalid, ConnectorError, SecretUnreadable) as error:
            return TrialResult("the list", str(error))
        newest = [item.value for item in items[-_SHOWN_ITEMS:]]
        sample = self._payload(config, newest[-1]) if newest else None
        return TrialResult("the list", items=newest, count=len(items), sample=sample)

    def _payload(self, config: Mapping[str, Any], item: Any) -> JsonObject:
        return payload_of([item]) if config.get("eventPer") == EventPer.POLL else {"item": item}

    def _problems_of_polling(self, config: PollConfig) -> list[Problem]:
        missing = [] if config.items or self._polls.items else [Problem("/items", sentence("is required"))]
        return [*config.problems_of_zone(), *missing]

    def _action_config(self, config: Mapping[str, Any]) -> JsonObject:
        """The part of a trigger's config that is the action's."""
        own = {key for name, field in PollConfig.model_fields.items() for key in spellings(name, field)}
        return {key: value for key, value in config.items() if key not in own} | dict(self._polls.fixed)

    def _source(self, action: JsonObject) -> str:
        """Names what is asked. The connection may be another one for the same list."""
        asked = {key: value for key, value in action.items() if key != CONNECTION}
        return blake2b(self._connector.type.encode() + jsonio.dumps(asked), digest_size=16).hexdigest()

    def _poll_fields(self) -> JsonObject:
        fields = object_schema(PollConfig)["properties"]
        told = {key: {"default": getattr(self._polls, name)} for key, name in _DEFAULTS.items()}
        told = {key: default for key, default in told.items() if default["default"]}
        return {key: {**field, **told.get(key, {}), "group": _GROUP} for key, field in fields.items()}

    def _connection_field(self) -> JsonObject:
        return {"type": "string", "title": "Connection", "description": "Signs in to the service."}

    def _required_connection(self) -> list[str]:
        needed = self._connector.connections and not (self._connector.any_signer or self._connector.shared_fields)
        return [CONNECTION] if needed else []


def _known(since: datetime, highest: Any) -> JsonObject:
    return {"since": jsonio.format_time(since), "highest": highest}
