"""Waits as people fill them in: for a duration, until a moment, for a call, or for an approval."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any

from flowforge import time_zones
from flowforge.durations import in_seconds, in_units, unit_field
from flowforge.form_view import FORM_KIND, FormView, choice_of_way
from flowforge.jsonio import JsonObject

Values = Mapping[str, Any]

DURATION, UNTIL, CALL, APPROVAL = "duration", "until", "call", "approval"
_KINDS = {DURATION: "Duration", UNTIL: "Until a date and time", CALL: "Call (webhook)", APPROVAL: "Approval"}
_RESUMED = {CALL: "resume", APPROVAL: "approval"}
_FORMAT = "%Y-%m-%dT%H:%M"
"""The format of a date and time in forms."""

_FIELDS: JsonObject = {
    FORM_KIND: choice_of_way("Wait for", _KINDS),
    "amount": {"title": "Duration", "type": "number", "requiredFor": [DURATION]},
    "unit": unit_field("Unit", [DURATION]),
    "moment": {"title": "Date and time", "type": "string", "input": "moment", "requiredFor": [UNTIL]},
    "timeZone": {
        "title": "Time zone",
        "type": "string",
        "input": "zone",
        "default": "UTC",
        "onlyFor": [UNTIL],
    },
    "message": {
        "title": "Question",
        "type": "string",
        "multiline": True,
        "description": "Shown to the approver.",
        "onlyFor": [APPROVAL],
    },
    "limit": {
        "title": "Time limit",
        "type": "number",
        "description": "Empty: 30 days.",
        "onlyFor": [CALL, APPROVAL],
    },
    "limitUnit": unit_field("Unit of the time limit", [CALL, APPROVAL]),
    "onTimeout": {
        "title": "When the time limit is reached",
        "enum": ["fail", "continue"],
        "labels": {"fail": "The step fails", "continue": "Continue with the next step"},
        "default": "fail",
        "onlyFor": [CALL, APPROVAL],
    },
}


def _show(config: Values, wanted: str | None) -> JsonObject:
    kind = _kind_of(config, wanted)
    if kind == DURATION:
        return {FORM_KIND: kind} | _in_units(config, "seconds", "amount", "unit")
    if kind == UNTIL:
        return {FORM_KIND: kind} | _shown_moment(config.get("until"))
    others = {key: config[key] for key in ("message", "onTimeout") if key in config}
    return {FORM_KIND: kind} | others | _in_units(config, "timeout", "limit", "limitUnit")


def _kind_of(config: Values, wanted: str | None) -> str:
    """The one that the config says; where it says none yet, the one that is wanted."""
    if config.get("for") is not None:
        return APPROVAL if config["for"] == "approval" else CALL
    if config.get("until") is not None:
        return UNTIL
    return wanted if wanted == UNTIL and config.get("seconds") is None else DURATION


def _in_units(config: Values, stored: str, amount: str, unit: str) -> JsonObject:
    if config.get(stored) is None:
        return {}
    number, name = in_units(config[stored])
    return {amount: number, unit: name}


def _shown_moment(until: Any) -> JsonObject:
    """On the clock of the offset that it is written with. Anything but a moment stays as it is written."""
    if until is None:
        return {}
    try:
        moment = datetime.fromisoformat(str(until))
    except ValueError:
        return {"moment": until}
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if moment.second or moment.microsecond:
        return {"moment": until}
    offset = moment.strftime("%z")
    zone = {} if moment.utcoffset() == timedelta() else {"timeZone": f"{offset[:3]}:{offset[3:]}"}
    return {"moment": moment.strftime(_FORMAT), **zone}


def _write(values: Values, before: Values) -> JsonObject:
    kind = values.get(FORM_KIND)
    if kind == UNTIL:
        return {} if values.get("moment") is None else {"until": _written_moment(values["moment"], values)}
    if kind in _RESUMED:
        return {"for": _RESUMED[str(kind)]} | _resumed(values, before, kind == APPROVAL)
    return {} if values.get("amount") is None else {"seconds": in_seconds(values["amount"], values.get("unit"))}


def _resumed(values: Values, before: Values, asks: bool) -> JsonObject:
    """What was filled in for the other of the two is kept."""
    has_fields = "limitUnit" in values
    limit = in_seconds(values.get("limit"), values.get("limitUnit")) if has_fields else before.get("timeout")
    reaction = values.get("onTimeout") if has_fields else before.get("onTimeout")
    message = values.get("message") if asks else None
    found = {"message": message, "timeout": limit, "onTimeout": reaction}
    return {key: value for key, value in found.items() if value is not None}


def _written_moment(moment: Any, values: Values) -> Any:
    """In ISO 8601 with its offset; an expression, or what cannot be read, as it is."""
    try:
        local = datetime.strptime(str(moment), _FORMAT)
        return local.replace(tzinfo=_zone(values.get("timeZone") or "UTC")).isoformat(timespec="seconds")
    except ValueError:
        return moment


def _zone(name: str) -> tzinfo:
    """By its name or its offset. Raises ValueError for what is neither."""
    if name[:1] in "+-" and name[1:].replace(":", "").isdecimal():
        hours, _, minutes = name[1:].partition(":")
        return timezone((1 if name[0] == "+" else -1) * timedelta(hours=int(hours), minutes=int(minutes or 0)))
    return time_zones.zone(name)


WAIT_VIEW = FormView(
    fields=_FIELDS,
    stored=frozenset({"seconds", "until", "for", "message", "timeout", "onTimeout"}),
    show=_show,
    write=_write,
    places={"seconds": "amount", "until": "moment", "timeout": "limit", "for": FORM_KIND},
)
