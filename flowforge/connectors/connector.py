"""The declaration of a connector, and the decorator that makes a function into one."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Collection, Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Generic, TypeVar

from pydantic import ValidationError

from flowforge.connectors.config import (
    ConnectorConfig,
    Guarded,
    Path,
    Separated,
    Split,
    fields_without_expressions,
    guarded_fields,
    holds_expression,
    located_messages,
    secret_keys,
    separated_fields,
)
from flowforge.connectors.connection_kind import ConnectionKind
from flowforge.connectors.context import StepContext
from flowforge.connectors.described import Described
from flowforge.connectors.errors import ConnectorError
from flowforge.connectors.polls import Polls
from flowforge.errors import Problem
from flowforge.icons import require_icon
from flowforge.inlined_schemas import inlined
from flowforge.jsonio import JsonObject
from flowforge.language.expressions.template import TemplateFailure, has_meaning, split_template
from flowforge.language.text_fields import spellings
from flowforge.sentences import message_of, sentence
from flowforge.summaries import NO_SUMMARY, Summary

C = TypeVar("C", bound=ConnectorConfig)
R = TypeVar("R")
Model = type[C]
Run = Callable[[C, StepContext], JsonObject] | Callable[[C, StepContext], Coroutine[Any, Any, JsonObject]]
"""Does what the step is for, and gives its output: a plain function, or a coroutine function. Raises ConnectorError."""
Ask = (
    Callable[[Mapping[str, Any], StepContext], Sequence[str]]
    | Callable[[Mapping[str, Any], StepContext], Coroutine[Any, Any, Sequence[str]]]
)
"""Asks a service for the values that a field may have, such as the names of its models. It is given what the config
holds so far, secrets in clear, without fields that hold expressions. Raises ConnectorError."""


CONNECTION = "connection"
"""The key under which a config names a connection."""


@dataclass(frozen=True)
class Connector(Generic[C]):
    """A declared connector. Raises ValueError for an icon that the sprite does not have."""

    type: str
    """The type of its steps, in capitals."""
    config: Model[C]
    run: Run[C]
    title: str
    help: str
    icon: str
    """The id of a symbol in `static/icons.svg`."""
    keywords: tuple[str, ...] = ()
    """Other words under which people look for it."""
    summary: Summary = NO_SUMMARY
    computes: Callable[[C], JsonObject] | None = None
    """Gives the output of a config without calling anybody; None where the step has to run for it."""
    repeatable: bool | Callable[[Mapping[str, Any]], bool] = False
    """Whether running it twice does no harm, or receivers can tell a repeat by its Idempotency-Key; or a function that
    tells by the written config. A step of another connector has failed where its executor dies in the call, unless its
    `afterCrash` says otherwise."""
    connections: tuple[ConnectionKind[Any], ...] = ()
    """The kinds of connections it takes. Where its config inherits from that of a kind, a step may hold the fields
    itself, and those of a connection are filled in where it does not."""
    any_signer: bool = False
    """Whether it takes every kind besides that signs in to HTTP services. It can do without one, too."""
    described: Described | None = None
    """What follows from the API or table that a config names; None where everything stands in the declaration."""

    service: str = ""
    """The name of the service it belongs to; empty where it stands alone."""

    asks: Mapping[str, Ask] = field(default_factory=dict)
    """Ways to ask for the values of fields, by their keys. The builder offers them."""

    keeps: bool = False
    """Whether what it is given is kept here, unsealed: it never gets what was made from secrets."""

    polls: Polls | None = None
    """How it is a trigger, too; None where it is not."""

    host: str = ""
    """The host of its service, at which connections have to be allowed to sign in; empty where steps name hosts."""

    mail: str = ""
    """The protocol by which it uses mail accounts, `imap` or `smtp`; empty for what is no mail."""

    def __post_init__(self) -> None:
        require_icon(self.icon)

    @cached_property
    def is_async(self) -> bool:
        """Whether it waits on an event loop, rather than in a thread of its own."""
        return inspect.iscoroutinefunction(self.run)

    def run_here(self, config: C, context: StepContext) -> JsonObject:
        """Runs it to its end in this thread, where no event loop runs."""
        return _ended(self.run(config, context))

    def ask(self, field: str, config: Mapping[str, Any], context: StepContext) -> Sequence[str]:
        """Asks for the values that a field may have, in this thread, where no event loop runs. Raises
        ConnectorError."""
        return _ended(self.asks[field](config, context))

    def given(self, config: Mapping[str, Any]) -> JsonObject:
        """The written config without fields that are left empty and may be: that is as if they were not there. What
        turns out empty when its expression is computed stays, and is for the connector to judge."""
        required = self._required_keys
        return {key: value for key, value in config.items() if value not in (None, "") or key in required}

    def separate(self, config: JsonObject) -> JsonObject:
        """The config, before its expressions are resolved, with the texts taken apart that hold several values. Raises
        TemplateFailure, and ConnectorError for one that cannot be taken apart: the definition was never checked
        here."""
        texts = self._texts_to_separate(config)
        return config | {key: _separated(key, config[key], split) for key, split in texts}

    def _inseparable(self, config: Mapping[str, Any], pointer: str) -> Iterator[Problem]:
        for key, split in self._texts_to_separate(config):
            try:
                split_template(config[key], split)
            except TemplateFailure:
                continue  # whoever checks the expressions says so
            except ValueError as error:
                yield Problem(f"{pointer}/{key}", message_of(error))

    def _texts_to_separate(self, config: Mapping[str, Any]) -> Iterator[tuple[str, Split]]:
        """The fields whose text holds several values, with what takes them apart."""
        for key, mark in self._separated_fields:
            if isinstance(config.get(key), str) and has_meaning(config[key]):
                yield key, mark.split

    def is_repeatable(self, config: Mapping[str, Any]) -> bool:
        """Whether a step with this config, as it is written, may run twice."""
        return self.repeatable(config) if callable(self.repeatable) else self.repeatable

    def parse(self, config: Mapping[str, Any]) -> C:
        """The config with its expressions resolved. Raises ConnectorError naming the fields, not their values."""
        try:
            return self.config.model_validate(config)
        except ValidationError as error:
            problems = "; ".join(f"{'.'.join(p)}: {m}" if p else m for p, m in located_messages(error, config))
            raise ConnectorError(f"the config of {self.type} cannot be used: {problems}", permanent=True) from None

    def problems(self, config: Mapping[str, Any], pointer: str) -> list[Problem]:
        """Problems of a config before its expressions are resolved: none of a field that holds one, nor, where a
        connection is named, of the fields that it may fill in."""
        named = bool(config.get(CONNECTION))
        if self.connections and not (named or self.any_signer or self.shared_fields):
            return [Problem(f"{pointer}/{CONNECTION}", sentence("is required"))]
        return [
            *self._misplaced_expressions(config, pointer),
            *self._inseparable(config, pointer),
            *self._problems_of_fields(config, pointer, named=named),
        ]

    def _misplaced_expressions(self, config: Mapping[str, Any], pointer: str) -> list[Problem]:
        return [
            Problem(f"{pointer}/{key}", advice)
            for key, advice in self._fields_without_expressions.items()
            if holds_expression(config, (key,))
        ]

    def _problems_of_fields(self, config: Mapping[str, Any], pointer: str, *, named: bool) -> list[Problem]:
        try:
            self.config.model_validate(config)
        except ValidationError as error:
            return [
                Problem("/".join((pointer, *path)), message)
                for path, message in located_messages(error, config)
                if not holds_expression(config, path) and not (named and self._may_be_filled_in(path))
            ]
        return []

    @cached_property
    def _required_keys(self) -> frozenset[str]:
        """The keys of fields that have to be given, in all their spellings."""
        fields = self.config.model_fields.items()
        return frozenset(key for name, field in fields if field.is_required() for key in spellings(name, field))

    @cached_property
    def _separated_fields(self) -> tuple[tuple[str, Separated], ...]:
        return tuple(separated_fields(self.config))

    @cached_property
    def _fields_without_expressions(self) -> Mapping[str, str]:
        """The keys of fields that no expression may stand in, with the advice what to do instead."""
        return dict(fields_without_expressions(self.config))

    def require_no_misplaced_expressions(self, computed: Collection[str]) -> None:
        """Raises ConnectorError where one of the fields that hold expressions may have none: the definition was never
        checked here."""
        for key, advice in self._fields_without_expressions.items():
            if key in computed:
                raise ConnectorError(f"{key}: {advice}", permanent=True)

    @cached_property
    def _guarded_fields(self) -> Mapping[str, Guarded]:
        return dict(guarded_fields(self.config))

    def require_harmless_values(self, written: Mapping[str, Any], resolved: Mapping[str, Any]) -> None:
        """Raises ConnectorError where an expression has given what would change the meaning of a field."""
        for key, guard in self._guarded_fields.items():
            for path, problem in guard.problems(written.get(key), resolved.get(key), (key,)):
                raise ConnectorError(f"{'.'.join(path)}: {problem}", permanent=True)

    @cached_property
    def shared_fields(self) -> tuple[str, ...]:
        """The fields of its config that a connection can fill in."""
        return tuple(name for kind in self.connections if self.holds(kind) for name in kind.own_fields)

    def holds(self, kind: ConnectionKind[Any]) -> bool:
        """Whether a step's config has the fields of the kind itself."""
        return issubclass(self.config, kind.config)

    def takes(self, kind: ConnectionKind[Any]) -> bool:
        """Whether a step may name connections of the kind."""
        return kind in self.connections or (self.any_signer and kind.signs)

    def _may_be_filled_in(self, path: Path) -> bool:
        """Rules about several fields have no path: a connection that fills fields in may satisfy them."""
        return bool(self.shared_fields) if not path else path[0] in self.shared_fields

    def secret_keys(self) -> tuple[str, ...]:
        """Every key of the config under which a secret may stand."""
        return secret_keys(self.config)

    def config_schema(self) -> JsonObject:
        """JSON Schema of its config: its own fields first, then a group for those it shares with a connection kind."""
        schema = inlined(self.config.model_json_schema(by_alias=True))
        properties = dict(schema["properties"])
        shared = {
            name: {**properties.pop(name), "group": kind.title}
            for kind in self.connections
            if self.holds(kind)
            for name in kind.own_fields
        }
        asked = {name: {**properties[name], "asked": True} for name in self.asks}
        return {**schema, "properties": properties | shared | asked}


def _ended(result: R | Coroutine[Any, Any, R]) -> R:
    return asyncio.run(result) if inspect.iscoroutine(result) else result  # type: ignore[return-value]


def _separated(key: str, text: str, split: Split) -> list[str]:
    try:
        return split_template(text, split)
    except ValueError as error:
        raise ConnectorError(f"{key}: {error}", permanent=True) from error


def connector(
    type: str,  # noqa: A002
    config: Model[C],
    *,
    title: str,
    help: str,  # noqa: A002  (the field's word, and what the declaration reads best with)
    icon: str,
    keywords: tuple[str, ...] = (),
    summary: Summary = NO_SUMMARY,
    computes: Callable[[C], JsonObject] | None = None,
    repeatable: bool | Callable[[Mapping[str, Any]], bool] = False,
    connections: tuple[ConnectionKind[Any], ...] = (),
    any_signer: bool = False,
    described: Described | None = None,
    asks: Mapping[str, Ask] | None = None,
    keeps: bool = False,
    polls: Polls | None = None,
    mail: str = "",
) -> Callable[[Run[C]], Connector[C]]:
    """Makes a function, or a coroutine function, into a connector; see Connector for what the parts mean."""

    def declare(run: Run[C]) -> Connector[C]:
        return Connector(
            type,
            config,
            run,
            title,
            help,
            icon,
            keywords,
            summary,
            computes,
            repeatable,
            connections,
            any_signer,
            described,
            asks=asks or {},
            keeps=keeps,
            polls=polls,
            mail=mail,
        )

    return declare
