"""Forms of connections that begin with a preset: what it decides is not asked for."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from werkzeug.datastructures import MultiDict

from flowforge.connectors.presets.all_presets import presets
from flowforge.connectors.presets.preset import Preset
from flowforge.connectors.sdk import ConnectionKind
from flowforge.jsonio import JsonObject
from webapp.translation.texts import gettext, translated
from webapp.ui.fields import Field, fields_of
from webapp.ui.forms import config_from_form

_PRESET, _ACCOUNT, _CLIENT, _SCOPES, _OTHER_SCOPES = "preset", "account", "clientId", "scopes", "otherScopes"
_DECIDED = frozenset(
    {"authorizationUrl", "tokenUrl", "deviceUrl", "revocationUrl", "identityUrl", "clientAuthentication", "pkce"}
)
"""Fields of OAuth 2.0 that a preset fills in for good."""


def fields_for(
    kind: ConnectionKind[Any], config: Mapping[str, Any], *, is_new: bool, registered: Collection[str] = ()
) -> list[Field]:
    """The fields of the form, as far as the preset of the config, if any, leaves them open. `registered`: the presets
    for which the operator has a client."""
    preset = _preset_of(config)
    found = [field for field in fields_of(kind.config_schema()) if field.key != _PRESET]
    if preset is None or preset.name not in registered:
        found = [replace(field, required=True, help="") if field.key == _CLIENT else field for field in found]
    if preset is None or preset.provider is None:
        return [field for field in found if field.key != _ACCOUNT]
    hidden = _DECIDED | ({"hosts"} if is_new else set()) | (set() if preset.account else {_ACCOUNT})
    return [shown for field in found if field.key not in hidden for shown in _as_asked(field, preset, config)]


def _preset_of(config: Mapping[str, Any]) -> Preset | None:
    return presets().get(str(config.get(_PRESET, "")))


def _as_asked(field: Field, preset: Preset, config: Mapping[str, Any]) -> Sequence[Field]:
    """The field in the preset's words."""
    if field.key == _ACCOUNT and preset.account is not None:
        asked = preset.account
        label, help_ = translated(asked.title), translated(asked.description)
        return [replace(field, label=label, help=help_, default=asked.default)]
    if field.key == _SCOPES and preset.scopes:
        return _scope_fields(field, preset, config)
    return [field]


def _scope_fields(field: Field, preset: Preset, config: Mapping[str, Any]) -> Sequence[Field]:
    """A choice for each product, and a list of others that somebody knows by name."""
    labels = {choice.scope: _label(choice.product, choice.words) for choice in preset.scopes}
    chosen = config.get(_SCOPES)
    usual = preset.usual_scopes if chosen is None else [scope for scope in chosen if scope in labels]
    choice = replace(
        field, label=gettext("Permissions"), kind="choices", choices=list(labels), labels=labels, default=usual
    )
    others = replace(
        field,
        key=_OTHER_SCOPES,
        label=gettext("Other scopes"),
        help=gettext("The provider’s names of scopes, one per line."),
        kind="list",
    )
    return [choice, others]


def _label(product: str, words: str) -> str:
    return f"{translated(product)}: {translated(words)}" if product else translated(words)


def shown(config: Mapping[str, Any]) -> JsonObject:
    """The config as the form shows it: scopes that are not offered stand by themselves."""
    preset = _preset_of(config)
    if preset is None or not preset.scopes:
        return dict(config)
    offered = {choice.scope for choice in preset.scopes}
    chosen = config.get(_SCOPES) or []
    others = [scope for scope in chosen if scope not in offered]
    return {**config, _SCOPES: [scope for scope in chosen if scope in offered], _OTHER_SCOPES: others}


def read(
    kind: ConnectionKind[Any], form: MultiDict[str, str], before: Mapping[str, Any], *, is_new: bool
) -> JsonObject:
    """The config that the filled-in form stands for. `before`: what it began with."""
    fields = fields_for(kind, before, is_new=is_new)
    config = config_from_form(fields, form, {_PRESET: before[_PRESET]} if before.get(_PRESET) else {})
    if any(field.key == _OTHER_SCOPES for field in fields):
        config[_SCOPES] = [*form.getlist(f"config.{_SCOPES}"), *(config.pop(_OTHER_SCOPES, None) or ())]
    return config
