"""Triggers of n8n's, as triggers of ours: each with what it gives to the first steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from flowforge.jsonio import JsonObject
from flowforge.n8n.data import EMPTY, Data, Output
from flowforge.n8n.model import Node, Workflow
from flowforge.n8n.polling import POLLS, Poll, connection_of, steps_of
from flowforge.n8n.trigger_forms import form_fields
from flowforge.n8n.values import literal
from flowforge.sentences import sentence

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD")


@dataclass(frozen=True, slots=True)
class Started:
    """A trigger of ours, what it gives, and what is nearly the same only."""

    type: str
    config: JsonObject
    output: Output
    notes: tuple[str, ...] = ()
    first: tuple[JsonObject, ...] = field(default=())
    """Steps before all others, for what is asked for again and again."""
    connections: tuple[str, ...] = ()
    """The connections that these steps need."""

    @property
    def trigger(self) -> JsonObject:
        return {"type": self.type, "config": self.config}


Read = Callable[[Node, Workflow], list[Started]]


def started_by(node: Node, workflow: Workflow) -> list[Started]:
    """The triggers that take the place of a node: one for each of its schedules. Empty where none is known."""
    read = _TRIGGERS.get(node.kind)
    if read is not None:
        return read(node, workflow)
    poll = POLLS.get(node.kind)
    if poll is not None:
        return [_polled(node, workflow, poll)]
    service = _SERVICES.get(node.kind)
    if service is not None:
        return [_called(service)]
    return []


def is_trigger(node: Node) -> bool:
    return node.kind in _TRIGGERS or node.kind in POLLS or node.kind in _SERVICES or node.kind.endswith("Trigger")


def by_hand() -> Started:
    return Started("manual", {}, EMPTY)


# -- called from outside


def _webhook(node: Node, workflow: Workflow) -> list[Started]:
    raw = node.parameters
    mode = raw.get("responseMode", "onReceived")
    respond = {"lastNode": "when finished", "responseNode": "by a RESPOND step"}.get(str(mode), "immediately")
    config: JsonObject = {"respond": respond}
    methods = raw.get("httpMethod", "GET")
    chosen = [
        str(m).upper() for m in (methods if isinstance(methods, list) else [methods]) if str(m).upper() in _METHODS
    ]
    config["methods"] = chosen or ["GET"]
    notes = _notes_of_webhook(raw, str(mode))
    data = Data("trigger", renamed={"query": "queryParams"})
    return [Started("webhook", config, Output(data, any_file="trigger.files[0]"), notes)]


def _notes_of_webhook(raw: JsonObject, mode: str) -> tuple[str, ...]:
    notes = []
    authentication = raw.get("authentication", "none")
    if authentication != "none":
        notes.append(
            sentence(
                "callers signed in by %(authentication)s: choose how they do in the trigger",
                authentication=authentication,
            )
        )
    if ":" in str(raw.get("path", "")):
        notes.append(sentence("parts of the path are no parameters here: send them in the query"))
    if mode == "responseNode":
        notes.append(sentence("an answer later than 60 seconds comes at an address of its own"))
    return tuple(notes)


def _called(service: _Service) -> Started:
    """A webhook that a service calls: its body is the item."""
    config = {"auth": service.auth, **service.config} if service.auth else {}
    notes = [sentence("give %(service)s the address of the trigger", service=service.title)]
    if service.auth is None:
        notes.append(sentence("it is not checked who calls"))
    return Started("webhook", config, Output(Data("trigger.body", unlike=service.unlike)), tuple(notes))


@dataclass(frozen=True, slots=True)
class _Service:
    title: str
    auth: str | None = None
    config: Mapping[str, Any] = field(default_factory=dict)
    unlike: bool = False


_SERVICES: Mapping[str, _Service] = {
    "telegramTrigger": _Service("Telegram", "telegram", {"secret": "change-me"}),
    "githubTrigger": _Service("GitHub", "github", {"secret": "change-me"}),
    "whatsAppTrigger": _Service("WhatsApp", unlike=True),
    "jotFormTrigger": _Service("Jotform", unlike=True),
    "calendlyTrigger": _Service("Calendly"),
    "calTrigger": _Service("Cal.com"),
    "gitlabTrigger": _Service("GitLab", unlike=True),
    "facebookTrigger": _Service("Facebook"),
    "facebookLeadAdsTrigger": _Service("Facebook", unlike=True),
    "hubspotTrigger": _Service("HubSpot", unlike=True),
    "pipedriveTrigger": _Service("Pipedrive"),
    "clickUpTrigger": _Service("ClickUp"),
    "trelloTrigger": _Service("Trello"),
    "wooCommerceTrigger": _Service("WooCommerce"),
    "surveyMonkeyTrigger": _Service("SurveyMonkey", unlike=True),
    "mondayTrigger": _Service("monday.com"),
    "jiraTrigger": _Service("Jira"),
    "linearTrigger": _Service("Linear"),
    "calendlyTriggerV2": _Service("Calendly"),
    "lemlistTrigger": _Service("lemlist"),
    "helpScoutTrigger": _Service("Help Scout"),
    "mailchimpTrigger": _Service("Mailchimp"),
    "activeCampaignTrigger": _Service("ActiveCampaign"),
    "stripeTrigger": _Service("Stripe"),
    "shopifyTrigger": _Service("Shopify"),
    "typeformTrigger": _Service("Typeform", unlike=True),
    "slackTrigger": _Service("Slack", unlike=True),
    "zendeskTrigger": _Service("Zendesk"),
    "asanaTrigger": _Service("Asana"),
    "eventbriteTrigger": _Service("Eventbrite", unlike=True),
    "figmaTrigger": _Service("Figma"),
    "payPalTrigger": _Service("PayPal"),
    "stravaTrigger": _Service("Strava"),
    "zohoTrigger": _Service("Zoho"),
    "webflowTrigger": _Service("Webflow"),
    "formIoTrigger": _Service("Form.io"),
    "emeliaTrigger": _Service("Emelia"),
    "twilioTrigger": _Service("Twilio"),
    "convertKitTrigger": _Service("Kit"),
    "brevoTrigger": _Service("Brevo"),
    "sendInBlueTrigger": _Service("Brevo"),
    "customerIoTrigger": _Service("Customer.io"),
    "gumroadTrigger": _Service("Gumroad"),
    "copperTrigger": _Service("Copper"),
    "affinityTrigger": _Service("Affinity"),
    "autopilotTrigger": _Service("Autopilot"),
    "boxTrigger": _Service("Box"),
    "chargebeeTrigger": _Service("Chargebee"),
    "keapTrigger": _Service("Keap"),
    "mauticTrigger": _Service("Mautic"),
    "netlifyTrigger": _Service("Netlify"),
    "postmarkTrigger": _Service("Postmark"),
    "pushcutTrigger": _Service("Pushcut"),
    "taigaTrigger": _Service("Taiga"),
    "wufooTrigger": _Service("Wufoo"),
    "bitbucketTrigger": _Service("Bitbucket"),
    "acuitySchedulingTrigger": _Service("Acuity", unlike=True),
    "onfleetTrigger": _Service("Onfleet"),
    "wiseTrigger": _Service("Wise"),
    "workableTrigger": _Service("Workable"),
}


def _form(node: Node, workflow: Workflow) -> list[Started]:
    fields, names = form_fields(node.parameters)
    raw = node.parameters
    config: JsonObject = {
        "title": literal(str(raw.get("formTitle") or "Form"))[:200].strip() or "Form",
        "description": str(raw.get("formDescription") or "")[:5_000],
        "fields": fields,
    }
    data = Data("trigger.fields", {"submittedAt": "trigger.submittedAt"}, renamed=names)
    files = {label: f"trigger.fields.{name}" for label, name in names.items()}
    files |= {label.replace(" ", "_").replace("?", "_"): path for label, path in files.items()}
    notes = [sentence("further pages of the form are not shown")] if _has_pages(workflow) else []
    return [Started("form", config, Output(data, files=files, any_file=next(iter(files.values()), None)), tuple(notes))]


def _has_pages(workflow: Workflow) -> bool:
    return any(node.kind == "form" for node in workflow.nodes.values())


def _chat(node: Node, workflow: Workflow) -> list[Started]:
    output = Output(Data("trigger.body"), any_file="trigger.files[0]")
    note = sentence("there is no chat window: call the address with chatInput and sessionId")
    return [Started("webhook", {"respond": "when finished", "methods": ["POST"]}, output, (note,))]


def _by_hand(node: Node, workflow: Workflow) -> list[Started]:
    return [by_hand()]


def _payload(node: Node, workflow: Workflow) -> list[Started]:
    return [
        Started(
            "manual", {}, Output(Data("trigger")), (sentence("it is started by a RUN_WORKFLOW step of the caller"),)
        )
    ]


def _error(node: Node, workflow: Workflow) -> list[Started]:
    renamed = {"execution": "execution", "workflow": "workflow"}
    note = sentence(
        "choose it as the error workflow in the settings of the others; its data are trigger.error, trigger.execution"
    )
    return [Started("manual", {}, Output(Data("trigger", renamed=renamed, unlike=True)), (note,))]


# -- by the clock


def _schedule(node: Node, workflow: Workflow) -> list[Started]:
    rules = node.parameters.get("rule", {})
    rows = rules.get("interval") if isinstance(rules, dict) else None
    written = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else [{}]
    return [_at(_rule(row), workflow) for row in written] or [_at({}, workflow)]


def _at(config: JsonObject, workflow: Workflow) -> Started:
    notes = config.pop("_notes", ())
    zone = {"timeZone": workflow.time_zone} if workflow.time_zone and "cron" in config else {}
    return Started("scheduler", config | zone, Output(Data("trigger", {"timestamp": "now"})), tuple(notes))


def _rule(row: JsonObject) -> JsonObject:
    """A row of a Schedule Trigger."""
    unit = str(row.get("field", "days"))
    if unit == "cronExpression":
        return _cron(str(row.get("expression", "")))
    every = _number(row.get(f"{unit}Interval"), 1)
    minute, hour = _number(row.get("triggerAtMinute"), 0), _number(row.get("triggerAtHour"), 0)
    if unit == "seconds":
        return {"intervalSeconds": max(10, every)}
    if unit == "minutes":
        return {"intervalMinutes": max(1, every)}
    if unit == "hours":
        return {"cron": f"{minute} {'*' if every == 1 else f'*/{min(every, 23)}'} * * *"}
    if unit == "weeks":
        days = row.get("triggerAtDay")
        chosen = ",".join(str(day) for day in days if isinstance(day, int)) if isinstance(days, list) else "0"
        return _every(
            every,
            f"{minute} {hour} * * {chosen or '0'}",
            sentence("it ran every %(every)s weeks: here it runs every week", every=every),
        )
    if unit == "months":
        day = min(max(1, _number(row.get("triggerAtDayOfMonth"), 1)), 31)
        return {"cron": f"{minute} {hour} {day} {'*' if every == 1 else f'*/{min(every, 12)}'} *"}
    return _every(
        every, f"{minute} {hour} * * *", sentence("it ran every %(every)s days: here it runs every day", every=every)
    )


def _every(every: int, cron: str, otherwise: str) -> JsonObject:
    """`otherwise`: the note where it is less often."""
    if every == 1:
        return {"cron": cron}
    return {"cron": cron, "_notes": (otherwise,)}


def _cron(expression: str) -> JsonObject:
    """n8n takes six fields, the first of which are seconds."""
    fields = expression.removeprefix("=").split()
    five = fields[1:] if len(fields) == 6 else fields
    if len(five) != 5 or "{" in expression or not _is_cron(" ".join(five)):
        return {
            "cron": "0 0 * * *",
            "_notes": (sentence("the times '%(times)s' are not understood: set them by hand", times=expression),),
        }
    return {"cron": " ".join(five)}


def _is_cron(expression: str) -> bool:
    from datetime import UTC, datetime

    from cronsim import CronSim, CronSimError

    try:
        CronSim(expression, datetime(2026, 1, 1, tzinfo=UTC))
    except CronSimError:
        return False
    return True


def _old_cron(node: Node, workflow: Workflow) -> list[Started]:
    times = node.parameters.get("triggerTimes", {})
    rows = times.get("item") if isinstance(times, dict) else None
    written = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else [{}]
    return [_at(_old_time(row), workflow) for row in written]


def _old_time(row: JsonObject) -> JsonObject:
    """A row of a Cron node."""
    mode = row.get("mode", "everyDay")
    minute, hour = _number(row.get("minute"), 0), _number(row.get("hour"), 14)
    if mode == "custom":
        return _cron(str(row.get("cronExpression", "")))
    if mode == "everyX":
        factor = 60 if row.get("unit", "hours") == "hours" else 1
        return {"intervalMinutes": max(1, _number(row.get("value"), 2) * factor)}
    crons = {
        "everyMinute": "* * * * *",
        "everyHour": f"{minute} * * * *",
        "everyWeek": f"{minute} {hour} * * {_number(row.get('weekday'), 1)}",
        "everyMonth": f"{minute} {hour} {max(1, _number(row.get('dayOfMonth'), 1))} * *",
    }
    return {"cron": crons.get(str(mode), f"{minute} {hour} * * *")}


def _interval(node: Node, workflow: Workflow) -> list[Started]:
    amount, unit = _number(node.parameters.get("interval"), 1), node.parameters.get("unit", "seconds")
    seconds = amount * {"minutes": 60, "hours": 3_600}.get(str(unit), 1)
    config = {"intervalMinutes": seconds / 60} if seconds % 60 == 0 else {"intervalSeconds": max(10, seconds)}
    return [_at(config, workflow)]


def _number(raw: Any, otherwise: int) -> int:
    if isinstance(raw, str) and raw.strip().isdecimal():
        raw = int(raw)
    return max(0, min(int(raw), 100_000)) if isinstance(raw, int | float) and not isinstance(raw, bool) else otherwise


def _polled(node: Node, workflow: Workflow, poll: Poll) -> Started:
    """A trigger that looks at the same times."""
    times = node.parameters.get("pollTimes", {})
    rows = times.get("item") if isinstance(times, dict) else None
    row = rows[0] if isinstance(rows, list) and rows and isinstance(rows[0], dict) else {"mode": "everyMinute"}
    notes = (
        [sentence("of several times to look, the first was taken")] if isinstance(rows, list) and len(rows) > 1 else []
    )
    at = _at(_old_time(row), workflow)
    output = Output(
        many=poll.items, renamed=poll.renamed, file_field=poll.file_field, why=_UNLIKE if poll.unlike else None
    )
    connections = (connection_of(node, poll),) if poll.signs_in else ()
    config = {**poll.trigger_config(node), **at.config}
    return Started(poll.type, config, output, (*at.notes, *notes), tuple(steps_of(node, poll)), connections)


_UNLIKE = sentence("what the service answers has fields with other names here; see the data of the step")


# -- mail


def _mailbox(node: Node, workflow: Workflow) -> list[Started]:
    name = next(iter(node.credentials.values()), "mailbox")
    config = {
        "username": "change-me",
        "password": "change-me",
        "folder": str(node.parameters.get("mailbox") or "INBOX"),
    }
    data = Data("trigger", renamed={"textPlain": "text", "textHtml": "html", "from": "from"}, unlike=True)
    note = sentence("the mailbox of '%(name)s': give the trigger its host, name and password", name=name)
    return [Started("email", config, Output(data, any_file="trigger.attachments[0]"), (note,))]


_TRIGGERS: Mapping[str, Read] = {
    "manualTrigger": _by_hand,
    "start": _by_hand,
    "webhook": _webhook,
    "formTrigger": _form,
    "chatTrigger": _chat,
    "manualChatTrigger": _chat,
    "executeWorkflowTrigger": _payload,
    "errorTrigger": _error,
    "scheduleTrigger": _schedule,
    "cron": _old_cron,
    "interval": _interval,
    "emailReadImap": _mailbox,
}
