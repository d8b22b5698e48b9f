"""SLACK_MESSAGE: an incoming webhook, or chat.postMessage with a bot token.

https://api.slack.com/messaging/webhooks, https://api.slack.com/methods/chat.postMessage
"""

from __future__ import annotations

from functools import partial

from pydantic import AliasChoices, field_validator, model_validator

from flowforge.connectors.connection_kinds.slack import PASSING_ERRORS, SLACK, SlackSignIn
from flowforge.connectors.sdk import ConnectorError, StepContext, connector, field, first_of
from flowforge.jsonio import JsonObject
from flowforge.sentences import sentence

POST_MESSAGE = "https://slack.com/api/chat.postMessage"


class Config(SlackSignIn):
    message: str | None = field(
        None,
        multiline=True,
        validation_alias=AliasChoices("message", "text"),
        serialization_alias="message",
        title="Message",
        description="Text with Slack's markup. Left out: all the data the workflow has, as JSON.",
    )
    channel: str | None = field(None, title="Channel", description="#general or a channel id.")

    @field_validator("message")
    @classmethod
    def _require_what_was_meant(cls, message: str | None) -> str:
        """Refuse a message that turns out empty: only where none is written, all the data are meant."""
        if not message or not message.strip():
            raise ValueError(sentence("is empty; leave it out to post all the data the workflow has"))
        return message

    @model_validator(mode="after")
    def _one_way_to_slack(self) -> Config:
        if not self.webhook_url and not self.bot_token:
            raise ValueError(sentence("webhookUrl is required (or botToken)"))
        if self.bot_token and not self.webhook_url and not self.channel:
            raise ValueError(sentence("channel is required with botToken"))
        return self


@connector(
    "SLACK_MESSAGE",
    Config,
    title="Slack message",
    help="Posts a message to a Slack channel.",
    icon="message",
    keywords=("chat",),
    summary=first_of("message", "channel"),
    connections=(SLACK,),
)
async def slack_message(config: Config, context: StepContext) -> JsonObject:
    message = config.message or await context.in_thread(partial(_everything, context), computes=True)
    body: JsonObject = {"text": message}
    if config.channel:
        body["channel"] = config.channel
    if config.webhook_url:
        response = await context.tools.async_http.send(context, "POST", config.webhook_url, json=body)
        response.raise_for_status("Slack")
        return {"delivered": True, "statusCode": response.status, "sent": True}
    return await _post_message(config, context, body)


def _everything(context: StepContext) -> str:
    """All the data the workflow has, as JSON. Raises ConnectorError where it is larger than a request may be."""
    return context.tools.http.encode({"trigger": context.trigger, "steps": context.steps}).decode()


async def _post_message(config: Config, context: StepContext, body: JsonObject) -> JsonObject:
    """Post with a token. Slack answers 200 to failures, too: only `ok` is reliable."""
    signed_by = context.connection or SLACK.credentials(config, context)
    response = await context.tools.async_http.send(context, "POST", POST_MESSAGE, json=body, signed_by=signed_by)
    response.raise_for_status("Slack")
    answer = await context.compute(response.body, of=response.content)
    if not isinstance(answer, dict) or not answer.get("ok"):
        reason = answer.get("error", "no reason") if isinstance(answer, dict) else "no JSON"
        raise ConnectorError(
            f"Slack refused the message: {reason}", permanent=reason not in PASSING_ERRORS, answered=True
        )
    return {
        "delivered": True,
        "statusCode": response.status,
        "sent": True,
        "channel": answer.get("channel"),
        "ts": answer.get("ts"),
    }
