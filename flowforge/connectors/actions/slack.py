"""Slack with a bot token: messages with blocks and in threads, files, users.

https://docs.slack.dev/reference/methods
"""

from __future__ import annotations

from pydantic import model_validator

from flowforge.connectors.connection_kinds.bearer import BEARER
from flowforge.connectors.connection_kinds.oauth2 import OAUTH2
from flowforge.connectors.connection_kinds.slack import PASSING_ERRORS, SLACK
from flowforge.connectors.sdk import (
    Calls,
    ConnectorError,
    File,
    Response,
    Service,
    ServiceConfig,
    body_of,
    field,
    first_of,
    given,
)
from flowforge.jsonio import JsonObject


def _judge(response: Response, name: str) -> None:
    """Slack answers 200 to failures, too: only `ok` is reliable."""
    response.raise_for_status(name)
    answer = response.body()
    if isinstance(answer, dict) and answer.get("ok") is False:
        error = str(answer.get("error"))
        raise ConnectorError(f"{name} refused: {error}", permanent=error not in PASSING_ERRORS, answered=True)


WORKSPACE = Service("Slack", "https://slack.com/api", "message", (SLACK, OAUTH2, BEARER), ("chat",), judge=_judge)


class Post(ServiceConfig):
    channel: str = field(title="Channel", description="#general, or the id of a channel or person.", min_length=1)
    text: str = field("", multiline=True, title="Text", description="Also shown where blocks cannot be.")
    blocks: list[JsonObject] | None = field(
        None, title="Blocks", description="As Slack's Block Kit Builder makes them."
    )
    thread: str | None = field(None, title="Thread", description="The ts of the message that it answers.")
    also_in_channel: bool = field(False, title="Also in the channel", description="An answer is shown there, too.")

    @model_validator(mode="after")
    def _says_something(self) -> Post:
        if not self.text.strip() and not self.blocks:
            raise ValueError("text or blocks are required")
        return self


@WORKSPACE.action(
    "SLACK_POST",
    Post,
    title="post a message",
    help="Posts with blocks, or into a thread.",
    summary=first_of("text", "channel"),
)
def post(config: Post, slack: Calls) -> JsonObject:
    message = {
        "channel": config.channel,
        "text": config.text or None,
        "blocks": config.blocks,
        "thread_ts": config.thread,
        "reply_broadcast": config.also_in_channel or None,
    }
    answer = slack.post("/chat.postMessage", json=message)
    return {"channel": answer.get("channel"), "ts": answer.get("ts"), "message": answer.get("message")}


class Share(ServiceConfig):
    file: File = field(title="File")
    channel: str = field(title="Channel id", description="C0123456789; names do not work here.", min_length=1)
    text: str = field("", title="Text", description="Posted with it.")
    thread: str | None = field(None, title="Thread", description="The ts of the message that it answers.")


@WORKSPACE.action("SLACK_FILE", Share, title="share a file", help="Uploads a file and posts it to a channel.")
def share(config: Share, slack: Calls) -> JsonObject:
    """https://docs.slack.dev/messaging/working-with-files#upload"""
    content = slack.context.files.content(config.file)
    wanted = {"filename": content.name, "length": content.size}
    place = slack.get("/files.getUploadURLExternal", query=wanted)
    slack.upload(slack.told(place, "upload_url"), body_of(content))
    done = given(
        {
            "files": [{"id": slack.told(place, "file_id"), "title": content.name}],
            "channel_id": config.channel,
            "initial_comment": config.text or None,
            "thread_ts": config.thread,
        }
    )
    return {"files": slack.post("/files.completeUploadExternal", json=done).get("files") or []}


class FindUser(ServiceConfig):
    email: str = field(title="Mail address", min_length=3)


@WORKSPACE.action(
    "SLACK_USER",
    FindUser,
    title="look up a user",
    help="Finds a person by the mail address.",
    summary=first_of("email"),
    repeatable=True,
)
def find_user(config: FindUser, slack: Calls) -> JsonObject:
    """Somebody who is not there is no failure."""
    try:
        answer = slack.get("/users.lookupByEmail", query={"email": config.email})
    except ConnectorError as error:
        if "users_not_found" not in str(error):
            raise
        return {"found": False, "user": None}
    return {"found": True, "user": answer.get("user")}
