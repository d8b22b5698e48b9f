"""Started by a program that calls an address (contract.md, section 1.4)."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Mapping
from typing import Annotated, Any, get_args

from pydantic import AfterValidator, Field, ValidationError

from flowforge import jsonio
from flowforge.errors import Problem
from flowforge.jsonio import JsonObject
from flowforge.language.text_fields import spellings
from flowforge.language.wording import problems_of
from flowforge.sentences import sentence
from flowforge.triggers.answering import AnsweringConfig
from flowforge.triggers.json_schema import object_schema, or_null
from flowforge.triggers.kind import Address, TriggerKind, keys_of_secrets
from flowforge.triggers.summary import TriggerSummary
from flowforge.triggers.webhooks.access import USUAL_METHODS, AddressRange, Method, Origin
from flowforge.triggers.webhooks.authentication import GROUP, Authentication
from flowforge.triggers.webhooks.authentications import authentications
from flowforge.triggers.webhooks.authentications.hmac import Hmac
from flowforge.triggers.webhooks.authentications.none import NONE
from flowforge.triggers.webhooks.headers import HeaderName

WEBHOOK = "webhook"
AUTH = "auth"
"""The key that chooses how callers prove who they are."""
_LONGEST_BODY = 600
_EXAMPLE_BODY = {"name": "Ada"}
_MOST_LISTED = 100
_CALLS = "Accepted requests"
_SECRET = "secret"  # noqa: S105  (a key)


def _labels(schema: JsonObject) -> None:
    known = authentications()
    schema |= {"enum": list(known), "labels": {type_: one.title for type_, one in known.items()}}


def _known(type_: str) -> str:
    if type_ not in authentications():
        raise ValueError(sentence("must be one of %(choices)s", choices=", ".join(authentications())))
    return type_


class Config(AnsweringConfig):
    """The part that all webhooks have; further keys belong to the authentication that `auth` chooses."""

    auth: Annotated[str, AfterValidator(_known)] | None = Field(
        None,
        title="Authentication",
        description="Verifies who is calling. For a listed service, its own signature scheme is used.",
        json_schema_extra=_labels,
    )
    methods: Annotated[list[Method], Field(min_length=1, max_length=_MOST_LISTED)] = Field(
        list(USUAL_METHODS),
        title="Methods",
        description="HTTP methods that are accepted.",
        json_schema_extra={"group": GROUP},
    )
    allowed_origins: Annotated[list[Origin], Field(max_length=_MOST_LISTED)] = Field(
        [],
        title="Allowed origins",
        description="Web pages that may call it from the browser (CORS), such as https://shop.example; * for all.",
        json_schema_extra={"group": GROUP},
    )
    allowed_addresses: Annotated[list[AddressRange], Field(max_length=_MOST_LISTED)] = Field(
        [],
        title="Allowed addresses",
        description="IP addresses or ranges (203.0.113.0/24) that may call it. Empty: all.",
        json_schema_extra={"group": GROUP},
    )
    delivery_header: HeaderName | None = Field(
        None,
        title="Delivery header",
        description="A header that names each delivery: sent again with the same, it starts nothing.",
        json_schema_extra={"group": _CALLS},
    )
    raw_body: bool = Field(
        False,
        title="Keep the raw body",
        description="Whether trigger.rawBody has the body as it was sent, beside what it was read as.",
        json_schema_extra={"group": _CALLS},
    )


def curl(url: str, config: Mapping[str, Any], sample: Mapping[str, Any] | None) -> str | None:
    """A command line that sends the body of `sample`; an example where that is missing or too long to be read. None
    where callers have to sign it."""
    options = _authentication(config).curl_options(config)
    if options is None:
        return None
    body = (sample or {}).get("body")
    text = jsonio.dumps(body).decode() if isinstance(body, dict | list) and body else ""
    if not text or len(text) > _LONGEST_BODY:
        text = jsonio.dumps(_EXAMPLE_BODY).decode()
    parts = [
        "-X",
        usual_method(config.get("methods")),
        options,
        "-H 'Content-Type: application/json' -d",
        shlex.quote(text),
        shlex.quote(url),
    ]
    return " ".join(("curl", *filter(None, parts)))


def usual_method(allowed: Any) -> str:
    """One that may be used and takes a body, if there is any; POST where there is the choice. The methods are as they
    are written, in any state."""
    methods = [name for name in get_args(Method) if isinstance(allowed, list) and name in allowed and name != "GET"]
    return "POST" if "POST" in methods or not methods else methods[0]


class Webhook(TriggerKind[Config]):
    type = WEBHOOK
    title = "Webhook"
    help = "When a webhook URL is called"
    icon = "webhook"
    keywords = (
        "http",
        "url",
        "callback",
        "call",
    )
    rank = 10
    config = Config
    address = Address("webhook", "call the address now", command=curl)

    def problems(self, config: Mapping[str, Any]) -> list[Problem]:
        """Also those of the keys that belong to the authentication."""
        problems = [*super().problems(config), *_problems_of_authentication(config)]
        return list({problem.pointer: problem for problem in problems}.values())

    def authentication(self, config: Mapping[str, Any]) -> Authentication:
        """How callers prove who they are. The config can be used, its secrets are in clear."""
        return _authentication(config).model_validate(config)

    def further_keys(self, config: Mapping[str, Any]) -> Collection[str]:
        """The keys of the authentication that is chosen."""
        return {key for name, field in _authentication(config).model_fields.items() for key in spellings(name, field)}

    def config_schema(self) -> JsonObject:
        """With the keys of all authentications: which are needed depends on the one that is chosen."""
        ways: list[type[Authentication]] = [Hmac, *authentications().values()]
        properties = {key: or_null(declared) for way in reversed(ways) for key, declared in _properties(way).items()}
        return _with_properties(super().config_schema(), properties)

    def form_schema(self, config: Mapping[str, Any]) -> JsonObject:
        """With the keys of the authentication that is chosen."""
        way = _authentication(config)
        schema = _with_properties(super().config_schema(), _properties(way))
        return {**schema, "required": object_schema(way).get("required", [])}

    def secret_keys(self) -> list[str]:
        return sorted({key for way in authentications().values() for key in keys_of_secrets(way)})

    def summary(self, config: Mapping[str, Any]) -> TriggerSummary:
        way = _authentication(config)
        return TriggerSummary(texts=[self.help] if way.type == NONE else [self.help, way.title])

    def kept(self, before: Mapping[str, Any], config: Mapping[str, Any]) -> JsonObject:
        """With the secret that the provider has handed out."""
        way, kept = _authentication(config), before.get(_SECRET)
        if not way.hands_out_secret or _authentication(before) is not way or config.get(_SECRET) or not kept:
            return dict(config)
        return {**config, _SECRET: kept}

    def without_what_came(self, config: Mapping[str, Any]) -> JsonObject:
        """Without the secret that the provider has handed out: it hands out another one to another address."""
        hands_out = _authentication(config).hands_out_secret
        return {key: value for key, value in config.items() if not (hands_out and key == _SECRET)}

    def sample(self, config: Mapping[str, Any]) -> JsonObject:
        raw = {"rawBody": jsonio.dumps(_EXAMPLE_BODY).decode()} if config.get("rawBody") is True else {}
        return {
            "body": dict(_EXAMPLE_BODY),
            "headers": {"content-type": "application/json"},
            "queryParams": {},
            "method": "POST",
            "remoteAddress": "203.0.113.7",
            **raw,
        }


KIND = Webhook()


def _authentication(config: Mapping[str, Any]) -> type[Authentication]:
    """The way that `auth` chooses. Where it chooses none, a secret means a signature, as it always has."""
    chosen = config.get(AUTH)
    usual = Hmac.type if config.get(_SECRET) else NONE
    return authentications().get(chosen if isinstance(chosen, str) and chosen else usual, authentications()[NONE])


def _problems_of_authentication(config: Mapping[str, Any]) -> list[Problem]:
    try:
        _authentication(config).model_validate(config)
    except ValidationError as error:
        return problems_of(error)
    return []


def _properties(way: type[Authentication]) -> JsonObject:
    found: JsonObject = object_schema(way)["properties"]
    return found


def _with_properties(schema: JsonObject, others: JsonObject) -> JsonObject:
    """The schema with other properties behind `auth`."""
    own = schema["properties"]
    return {**schema, "properties": {AUTH: own[AUTH], **{key: others[key] for key in others if key not in own}, **own}}
