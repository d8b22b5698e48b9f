"""SLACK_FILE: upload a file and post it.

https://docs.slack.dev/messaging/working-with-files#upload
"""

from __future__ import annotations

from flowforge.connectors.actions.slack import WORKSPACE
from flowforge.connectors.sdk import Calls, File, ServiceConfig, body_of, field, given
from flowforge.jsonio import JsonObject


class Config(ServiceConfig):
    file: File = field(title="File")
    channel: str = field(title="Channel id", description="C0123456789; names do not work here.", min_length=1)
    text: str = field("", title="Text", description="Posted with it.")
    thread: str | None = field(None, title="Thread", description="The ts of the message that it answers.")


@WORKSPACE.action("SLACK_FILE", Config, title="share a file", help="Uploads a file and posts it to a channel.")
async def share_file(config: Config, slack: Calls) -> JsonObject:
    content = await slack.content(config.file)
    wanted = {"filename": content.name, "length": content.size}
    place = await slack.get("/files.getUploadURLExternal", query=wanted)
    await slack.upload(slack.told(place, "upload_url"), body_of(content))
    done = given(
        {
            "files": [{"id": slack.told(place, "file_id"), "title": content.name}],
            "channel_id": config.channel,
            "initial_comment": config.text or None,
            "thread_ts": config.thread,
        }
    )
    shared = await slack.post("/files.completeUploadExternal", json=done)
    return {"files": shared.get("files") or []}
