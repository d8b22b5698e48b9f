"""SLACK_POST: a message with blocks, or into a thread.

https://docs.slack.dev/reference/methods/chat.postMessage
"""

from __future__ import annotations

from pydantic import model_validator

from flowforge.connectors.actions.slack import WORKSPACE
from flowforge.connectors.sdk import Calls, ServiceConfig, field, first_of
from flowforge.jsonio import JsonObject
from flowforge.sentences import sentence


class Config(ServiceConfig):
    channel: str = field(title="Channel", description="#general, or the id of a channel or person.", min_length=1)
    text: str = field("", multiline=True, title="Text", description="Also shown where blocks cannot be.")
    blocks: list[JsonObject] | None = field(
        None, title="Blocks", description="As Slack's Block Kit Builder makes them."
    )
    thread: str | None = field(None, title="Thread", description="The ts of the message that it answers.")
    also_in_channel: bool = field(False, title="Also in the channel", description="An answer is shown there, too.")

    @model_validator(mode="after")
    def _says_something(self) -> Config:
        if not self.text.strip() and not self.blocks:
            raise ValueError(sentence("text or blocks are required"))
        return self


@WORKSPACE.action(
    "SLACK_POST",
    Config,
    title="post a message",
    help="Posts with blocks, or into a thread.",
    summary=first_of("text", "channel"),
)
async def post(config: Config, slack: Calls) -> JsonObject:
    message = {
        "channel": config.channel,
        "text": config.text or None,
        "blocks": config.blocks,
        "thread_ts": config.thread,
        "reply_broadcast": config.also_in_channel or None,
    }
    answer = await slack.post("/chat.postMessage", json=message)
    return {"channel": answer.get("channel"), "ts": answer.get("ts"), "message": answer.get("message")}
