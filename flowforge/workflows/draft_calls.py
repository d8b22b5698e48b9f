"""Calls to the test URL of a workflow: while somebody listens, they run its draft as a webhook's call runs what is
published.

A test URL is unguessable and holds the workflow's id; nothing is stored for it but that somebody listens, in Redis.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from struct import Struct
from uuid import UUID

from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy.orm import Session

from flowforge import jsonio
from flowforge.bus import EventBus
from flowforge.db.tables import Workflow
from flowforge.engine import intake
from flowforge.engine.intake import AcceptedCall, Awaiting, NewEvent
from flowforge.errors import NotFound, Unavailable, raise_any
from flowforge.ids import uuid7
from flowforge.jsonio import JsonObject
from flowforge.sentences import sentence
from flowforge.signed_tokens import SignedTokens
from flowforge.triggers.kinds.webhook import KIND, WEBHOOK
from flowforge.workflows import pins
from flowforge.workflows.drafts import Drafts
from flowforge.workflows.validation import config_of

LISTENING_SECONDS = 180
PATH = "webhook-test"
EXECUTION, EVENT = "X-Execution-Id", "X-Event-Id"
"""The headers of an answer that name the execution of a test, and the event that leads to it."""
_TOKENS = SignedTokens(b"flowforge test url 1:", Struct(">16s"))


@dataclass(frozen=True, slots=True)
class TestUrls:
    """Makes and reads them, and notes who listens. `base` is what webhook URLs start with, too."""

    __test__ = False

    key: str
    base: str
    redis: Redis

    def url(self, workflow_id: UUID) -> str:
        return f"{self.base}/{PATH}/{_TOKENS.make(self.key, workflow_id.bytes)}"

    def read(self, token: str) -> UUID | None:
        """Read the workflow's id from a token; None for a token that is none of ours."""
        fields = _TOKENS.read(self.key, token)
        return None if fields is None else UUID(bytes=fields[0])

    def listen(self, workflow_id: UUID) -> None:
        """Take calls for the next LISTENING_SECONDS. Raises Unavailable."""
        try:
            self.redis.set(_listening(workflow_id), 1, ex=LISTENING_SECONDS)
        except RedisError as error:
            raise Unavailable(sentence("Redis cannot be reached")) from error

    def is_listening(self, workflow_id: UUID) -> bool:
        """Raises Unavailable."""
        try:
            return bool(self.redis.exists(_listening(workflow_id)))
        except RedisError as error:
            raise Unavailable(sentence("Redis cannot be reached")) from error


@dataclass(frozen=True, slots=True)
class DraftHook:
    """The webhook that a draft declares; where there is no draft, the published one."""

    workflow_id: UUID
    user_id: UUID
    configuration: str
    """JSON text, secrets sealed."""


@dataclass(frozen=True, slots=True)
class TestCall:
    """What a call to the test URL brought."""

    __test__ = False

    payload: JsonObject
    metadata: JsonObject
    awaiting: Awaiting | None
    event_id: UUID
    """The id of the event that it makes; files are kept for it already."""


@dataclass(frozen=True, slots=True)
class DraftCalls:
    drafts: Drafts

    def hook(self, session: Session, workflow_id: UUID) -> DraftHook:
        """Find the webhook behind a test URL. Raises NotFound, Conflict, and Invalid for one that cannot be used
        yet."""
        workflow = session.get(Workflow, workflow_id)
        if workflow is None:
            raise NotFound(sentence("there is no such workflow any more"))
        trigger = self.drafts.clear(session, workflow.user_id, workflow_id).get("trigger")
        if not isinstance(trigger, dict) or str(trigger.get("type", "")).lower() != WEBHOOK:
            raise NotFound(sentence("this workflow is not started by a webhook"))
        config = config_of(trigger) or {}
        raise_any([problem.under("/trigger/config") for problem in KIND.problems(config)])
        sealed = self.drafts.workflows.triggers.seal(config, None)
        return DraftHook(workflow_id, workflow.user_id, jsonio.dumps(sealed).decode())

    def accept(self, session: Session, bus: EventBus, hook: DraftHook, call: TestCall) -> AcceptedCall:
        """Start the draft, or its trigger alone while its steps cannot run yet; what came in is the sample from now
        on. Commits. Raises NotFound, Invalid, Conflict, Forbidden, OverQuota."""
        with suppress(NotFound):
            pins.unpin(session, hook.workflow_id, pins.TRIGGER)
        version_id = self.drafts.version_to_test(session, hook.user_id, hook.workflow_id)
        intake.require_room(session.connection(), hook.user_id)
        event = NewEvent(
            None,
            hook.workflow_id,
            hook.user_id,
            WEBHOOK,
            call.payload,
            {**call.metadata, "test": True},
            call.event_id,
            execution_id=uuid7(),
            awaited_by={"caller": call.awaiting.moment} if call.awaiting else None,
            replay={"versionId": version_id},
        )
        intake.record(session.connection(), [event])
        session.commit()
        intake.announce(bus, [event], inline_limit=self.drafts.workflows.triggers.settings.payload_inline_limit)
        seconds = call.awaiting.seconds if call.awaiting else None
        return AcceptedCall(None, hook.workflow_id, hook.user_id, event.event_id, event, seconds)


def _listening(workflow_id: UUID) -> str:
    return f"flowforge:listening:{workflow_id}"
