"""Every operation of the HTTP interface, as its clients see it: what it takes, and what it answers.

Keys are Flask's endpoints: paths and methods are the route table's own, the title is the view's docstring.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from flowforge.execution.state import Status
from flowforge.executions.executions import SORTABLE
from webapp.api import bundle_schemas, connection_schemas, dashboard_schemas, schemas, version_schemas
from webapp.api.account import NewPassword
from webapp.api.auth import HeldToken, Login, Registration
from webapp.api.bundles import SCHEMA
from webapp.api.paging import DEFAULT_SIZE, MAX_SIZE

Schema = dict[str, Any]
JSON, TEXT, HTML, EVENTS = "application/json", "text/plain", "text/html", "text/event-stream"


@dataclass(frozen=True, slots=True)
class Parameter:
    name: str
    schema: Schema
    description: str = ""
    where: str = "query"


@dataclass(frozen=True, slots=True)
class Answer:
    """`of`: a model, a list of a model as `[Model]`, or None where there is no JSON body."""

    description: str
    of: type[BaseModel] | list[type[BaseModel]] | None = None
    media_type: str | None = JSON


@dataclass(frozen=True, slots=True)
class Operation:
    tag: str
    answers: dict[int, Answer]
    takes: type[BaseModel] | Schema | None = None
    parameters: tuple[Parameter, ...] = ()
    public: bool = False
    errors: tuple[int, ...] = ()
    """Beyond those that follow from the above: 400, 401, 404 for an id in the path, 413, 415, 503."""


def _ok(of: type[BaseModel] | list[type[BaseModel]], description: str = "Done") -> dict[int, Answer]:
    return {200: Answer(description, of)}


_UUID: Schema = {"type": "string", "format": "uuid"}
_TIME: Schema = {"type": "string", "format": "date-time"}
_NUMBER: Schema = {"type": "integer", "minimum": 0, "default": 0}
_TEXT: Schema = {"type": "string"}
_ANYTHING: Schema = {"type": "object", "additionalProperties": True}
_NOTHING = {204: Answer("Deleted", media_type=None)}
_PAGE = Parameter("page", {"type": "integer", "minimum": 0, "maximum": 1_000_000, "default": 0})
_LIST = (
    _PAGE,
    Parameter("size", {"type": "integer", "minimum": 1, "default": 1000}, "At most 1,000."),
)


def _page_of(*sortable: str) -> tuple[Parameter, ...]:
    fields = ", ".join(sortable)
    return (
        _PAGE,
        Parameter("size", {"type": "integer", "minimum": 1, "default": DEFAULT_SIZE}, f"Cut to {MAX_SIZE}."),
        Parameter("sort", _TEXT, f"field,asc or field,desc; fields: {fields}. Default: {sortable[0]},desc."),
    )


_FOUND = (
    Parameter("size", {"type": "integer", "minimum": 1, "default": 25}, "At most 100."),
    Parameter("cursor", _TEXT, "`newer` or `older` of the page before."),
)
_WEBHOOK_ERROR = Answer("No such webhook", schemas.WebhookUnknown)
_LAST_EVENT = Parameter("Last-Event-ID", _TEXT, "Go on behind this event.", "header")

OPERATIONS: dict[str, Operation] = {
    "auth.register": Operation("Accounts", _ok(schemas.TokenPair), Registration, public=True, errors=(403, 429)),
    "auth.login": Operation("Accounts", _ok(schemas.TokenPair), Login, public=True, errors=(401, 429)),
    "auth.refresh_token": Operation("Accounts", _ok(schemas.TokenPair), HeldToken, public=True, errors=(401,)),
    "auth.logout": Operation("Accounts", {200: Answer("Signed out", media_type=None)}, HeldToken),
    "auth.me": Operation("Accounts", _ok(schemas.Me)),
    "account.show_profile": Operation("Accounts", _ok(dashboard_schemas.Profile), errors=(404,)),
    "account.change_profile": Operation(
        "Accounts", _ok(dashboard_schemas.Profile), dashboard_schemas.ProfileChange, errors=(404,)
    ),
    "account.change_password": Operation("Accounts", _NOTHING, NewPassword, errors=(403, 404, 429)),
    "account.list_tokens": Operation("Accounts", _ok([dashboard_schemas.Token])),
    "account.create_token": Operation(
        "Accounts",
        {201: Answer("Created", dashboard_schemas.NewToken)},
        dashboard_schemas.TokenRequest,
        errors=(403, 409),
    ),
    "account.revoke_token": Operation("Accounts", _NOTHING),
    "account.list_sessions": Operation("Accounts", _ok([dashboard_schemas.SignedIn])),
    "account.end_session": Operation("Accounts", _NOTHING),
    "workflows.create": Operation(
        "Workflows", {201: Answer("Created", schemas.Workflow)}, schemas.WorkflowRequest, errors=(409,)
    ),
    "workflows.list_all": Operation("Workflows", _ok([schemas.WorkflowSummary]), parameters=_LIST),
    "workflows.show": Operation("Workflows", _ok(schemas.Workflow)),
    "workflows.replace": Operation("Workflows", _ok(schemas.Workflow), schemas.WorkflowChange, errors=(409,)),
    "workflows.delete": Operation("Workflows", _NOTHING),
    "workflows.run": Operation(
        "Workflows",
        {
            200: Answer("A dry run: what each step would be given", version_schemas.DryRun),
            202: Answer("Accepted: the execution will follow", schemas.Started),
        },
        _ANYTHING,
        parameters=(
            Parameter("dryRun", {"type": "boolean"}, "Resolves everything and calls nobody."),
            Parameter("draft", {"type": "boolean"}, "Runs the draft, published or not, enabled or not."),
            Parameter("pinned", {"type": "boolean"}, "With draft: steps with a pinned output are not run."),
        ),
        errors=(409,),
    ),
    "workflows.versions": Operation("Workflows", _ok([schemas.WorkflowVersion]), parameters=_LIST),
    "bundles.apply": Operation("Workflows as code", _ok(bundle_schemas.Applied), bundle_schemas.Bundle, errors=(409,)),
    "bundles.export": Operation(
        "Workflows as code",
        _ok(bundle_schemas.Exported),
        parameters=(
            Parameter("name", {"type": "array", "items": _TEXT}, "Keys or names; none: all workflows."),
            _PAGE,
            Parameter("size", {"type": "integer", "minimum": 1, "default": 200}, "At most 200."),
        ),
    ),
    "bundles.schema": Operation(
        "Workflows as code", {200: Answer("A JSON Schema, 2020-12", media_type=SCHEMA)}, public=True
    ),
    "versions.show": Operation("Workflows", _ok(schemas.WorkflowVersion)),
    "versions.restore": Operation("Workflows", _ok(schemas.Workflow), version_schemas.Restoring, errors=(400, 409)),
    "versions.compare": Operation(
        "Workflows",
        _ok(version_schemas.Differences),
        parameters=(
            Parameter("from", _TEXT, "The id or number of a version, published (the default) or draft."),
            Parameter("to", _TEXT, "The same."),
        ),
        errors=(400, 409),
    ),
    "versions.show_draft": Operation("Workflows", _ok(version_schemas.Draft), errors=(409,)),
    "versions.save_draft": Operation(
        "Workflows", _ok(version_schemas.Draft), version_schemas.DraftChange, errors=(409,)
    ),
    "versions.discard_draft": Operation("Workflows", _NOTHING),
    "versions.publish": Operation("Workflows", _ok(schemas.Workflow), version_schemas.Publishing, errors=(409,)),
    "trials.test_step": Operation(
        "Workflows", _ok(version_schemas.Tried), version_schemas.Trying, errors=(400, 409, 503)
    ),
    "trials.data": Operation(
        "Workflows",
        _ok(version_schemas.KnownData),
        parameters=(Parameter("at", _TEXT, "Pointer to a step of the draft; none: behind its last step."),),
        errors=(400, 409),
    ),
    "trials.preview": Operation("Workflows", _ok(version_schemas.Preview), version_schemas.Previewing, errors=(409,)),
    "trials.sample": Operation("Workflows", _ok(version_schemas.Sample)),
    "trials.list_pins": Operation("Workflows", {200: Answer("Outputs by the step's id", version_schemas.Pins)}),
    "trials.pin": Operation("Workflows", _NOTHING, _ANYTHING, errors=(409,)),
    "trials.unpin": Operation("Workflows", _NOTHING),
    "connections.list_types": Operation("Connections", _ok([connection_schemas.ConnectionType])),
    "connections.list_all": Operation("Connections", _ok([connection_schemas.Connection])),
    "connections.create": Operation(
        "Connections",
        {201: Answer("Created", connection_schemas.Connection)},
        connection_schemas.NewConnection,
        errors=(409,),
    ),
    "connections.show": Operation("Connections", _ok(connection_schemas.Connection)),
    "connections.replace": Operation(
        "Connections", _ok(connection_schemas.Connection), connection_schemas.ConnectionChange, errors=(409,)
    ),
    "connections.delete": Operation(
        "Connections",
        _NOTHING,
        parameters=(Parameter("force", {"type": "boolean"}, "Also one that workflows use."),),
        errors=(400, 409),
    ),
    "connections.test": Operation("Connections", _ok(connection_schemas.Connection)),
    "connections.list_secrets": Operation("Connections", _ok([connection_schemas.SecretName])),
    "connections.put_secret": Operation("Connections", _NOTHING, connection_schemas.SecretValue, errors=(400, 409)),
    "connections.delete_secret": Operation("Connections", _NOTHING, errors=(404,)),
    "starters.list_all": Operation("Workflows", _ok([dashboard_schemas.Template])),
    "starters.use": Operation("Workflows", {201: Answer("Created", schemas.Workflow)}, _ANYTHING, errors=(409,)),
    "guide.get": Operation("Workflows", _ok(dashboard_schemas.Guide), errors=(404, 409)),
    "guide.begin": Operation("Workflows", _ok(dashboard_schemas.Guide), errors=(409,)),
    "guide.end": Operation("Workflows", _NOTHING),
    "trigger_checks.try_out": Operation("Triggers", _ok(dashboard_schemas.MailboxAnswer), errors=(400,)),
    "triggers.create": Operation(
        "Triggers", {201: Answer("Created", schemas.Trigger)}, schemas.TriggerRequest, errors=(404,)
    ),
    "triggers.list_all": Operation("Triggers", _ok([schemas.Trigger]), parameters=_LIST),
    "triggers.list_of_workflow": Operation("Triggers", _ok([schemas.Trigger]), parameters=_LIST),
    "triggers.replace": Operation("Triggers", _ok(schemas.Trigger), schemas.TriggerChange),
    "triggers.delete": Operation("Triggers", _NOTHING),
    "executions.list_page": Operation(
        "Executions",
        _ok(schemas.ExecutionPage),
        parameters=(
            Parameter("workflowId", _UUID, "Only this workflow's."),
            Parameter("status", {"enum": [status.value for status in Status]}, "Only these."),
            *_page_of("createdAt", *(name for name in SORTABLE if name != "createdAt")),
        ),
    ),
    "executions.show": Operation("Executions", _ok(schemas.ExecutionWithAttempts)),
    "executions.show_output": Operation(
        "Executions",
        _ok(schemas.StepOutput),
        parameters=(Parameter("frame", _NUMBER, "The frame in which the step stands; 0: the workflow's own list."),),
    ),
    "executions.replay": Operation(
        "Executions",
        {202: Answer("Accepted: the execution will follow", schemas.Replayed)},
        schemas.ReplayRequest,
        errors=(409,),
    ),
    "executions.replay_all": Operation(
        "Executions",
        {202: Answer("Accepted: the executions will follow", schemas.ReplayedAll)},
        schemas.ReplaysRequest,
    ),
    "executions.list_frames": Operation(
        "Executions",
        _ok([schemas.ListedFrame]),
        parameters=(
            Parameter("blockFrame", _NUMBER, "The frame in which the block stands; 0: the workflow's own list."),
            Parameter("blockStep", _NUMBER, "The block's step."),
            Parameter("after", {"type": "integer", "minimum": -1, "default": -1}, "Only positions behind this one."),
            Parameter("status", {"enum": ["WAITING", "RUNNING", "COMPLETED", "FAILED"]}, "Only these."),
            Parameter("size", {"type": "integer", "minimum": 1, "maximum": 200, "default": 50}),
        ),
    ),
    "executions.show_frame": Operation("Executions", _ok(schemas.FrameWithAttempts)),
    "executions.list_waits": Operation("Executions", _ok([schemas.OpenWait])),
    "executions.cancel": Operation("Executions", _ok(schemas.WholeExecution)),
    "finding.executions": Operation(
        "Executions",
        _ok(dashboard_schemas.ExecutionsFound),
        parameters=(
            Parameter("workflowId", _UUID, "Only this workflow's."),
            Parameter("status", {"enum": [status.value for status in Status]}, "Only these."),
            Parameter("triggerType", _TEXT, "webhook, scheduler, email, manual, ..."),
            Parameter("text", _TEXT, "Looked for in payload, error and id."),
            Parameter("from", _TIME, "Inclusive."),
            Parameter("to", _TIME, "Exclusive."),
            *_FOUND,
        ),
    ),
    "finding.workflows": Operation(
        "Workflows",
        _ok(dashboard_schemas.WorkflowsFound),
        parameters=(
            Parameter("text", _TEXT, "Part of the name."),
            Parameter("enabled", {"type": "boolean"}, "Only those that are on, or off."),
            Parameter("tag", _TEXT, "Only those with this tag."),
            Parameter("after", _UUID, "The `after` of the page before."),
            _FOUND[0],
        ),
        errors=(404,),
    ),
    "finding.set_tags": Operation("Workflows", _ok(dashboard_schemas.Tags), dashboard_schemas.Tags),
    "live.live": Operation(
        "Executions",
        {200: Answer("The stream; it ends with the execution", media_type=EVENTS)},
        parameters=(_LAST_EVENT,),
    ),
    "home.overview": Operation("Overview", _ok(dashboard_schemas.Home)),
    "home.throughput": Operation(
        "Overview",
        _ok(dashboard_schemas.Throughput),
        parameters=(Parameter("hours", {"type": "integer", "minimum": 1, "maximum": 744, "default": 24}),),
    ),
    "dead_letters.list_page": Operation(
        "Dead letters",
        _ok(dashboard_schemas.DeadLetters),
        parameters=(Parameter("after", _UUID, "The `after` of the page before."), _FOUND[0]),
        errors=(404,),
    ),
    "dead_letters.retry": Operation("Dead letters", {202: Answer("Sent again", media_type=None)}, errors=(409,)),
    "dead_letters.discard": Operation("Dead letters", _NOTHING),
    "executor.plugins": Operation("Connectors", _ok(schemas.Plugins)),
    "logs.list_page": Operation(
        "Logs",
        _ok(schemas.LogPage),
        parameters=(
            Parameter("executionId", _UUID),
            Parameter("eventId", _UUID),
            Parameter("workflowId", _UUID),
            Parameter("eventType", _TEXT, "TRIGGER, RESULT, ..."),
            Parameter("status", _TEXT, "FIRED, SUCCESS, FAILURE, ..."),
            Parameter("from", _TIME, "Inclusive."),
            Parameter("to", _TIME, "Inclusive."),
            *_page_of("timestamp"),
        ),
    ),
    "logs.of_execution": Operation("Logs", _ok(schemas.LogPage), parameters=_page_of("timestamp")),
    "logs.of_workflow": Operation("Logs", _ok(schemas.LogPage), parameters=_page_of("timestamp")),
    "webhooks.receive": Operation(
        "Webhooks",
        {200: Answer("Accepted for good", schemas.WebhookAccepted), 404: _WEBHOOK_ERROR},
        {},
        (
            Parameter(
                "Idempotency-Key",
                {"type": "string", "minLength": 1, "maxLength": 255},
                "A repeat with the same key starts nothing and gets the first answer.",
                "header",
            ),
            Parameter(
                "X-Hub-Signature-256",
                {"type": "string"},
                "sha256= and the HMAC-SHA256 of the body, where the trigger's configuration holds a `secret`; also read"
                " from X-Signature-256.",
                "header",
            ),
        ),
        public=True,
        errors=(401, 429),
    ),
    "webhooks.later_answer": Operation(
        "Webhooks",
        {
            200: Answer("What the workflow answered, with its status", media_type=None),
            202: Answer("Not yet", schemas.AnswerPending),
        },
        public=True,
    ),
    "resume.show": Operation(
        "Webhooks",
        {
            200: Answer("A page with buttons", media_type=HTML),
            404: Answer("No such link", media_type=HTML),
            409: Answer("Over", media_type=HTML),
        },
        public=True,
    ),
    "resume.resume": Operation("Webhooks", _ok(schemas.Resumed), {}, public=True, errors=(409,)),
    "health.live": Operation("Health", _ok(schemas.Live), public=True),
    "health.ready": Operation(
        "Health",
        {200: Answer("Ready", schemas.Ready), 503: Answer("Something is down", schemas.Ready)},
        public=True,
    ),
    "health.scrape": Operation("Health", {200: Answer("Metrics", media_type=TEXT)}, public=True),
    "openapi.document": Operation(
        "Description", {200: Answer("An OpenAPI 3.1 document", media_type=JSON)}, public=True
    ),
    "openapi.page": Operation("Description", {200: Answer("A page", media_type="text/html")}, public=True),
}
