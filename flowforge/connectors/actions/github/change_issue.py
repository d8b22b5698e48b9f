"""GITHUB_CHANGE_ISSUE: close, open or change an issue.

https://docs.github.com/rest/issues/issues#update-an-issue
"""

from __future__ import annotations

from typing import Literal

from flowforge.connectors.actions.github import GITHUB, RepositoryConfig
from flowforge.connectors.sdk import Calls, field
from flowforge.jsonio import JsonObject


class Config(RepositoryConfig):
    number: int = field(title="Number", ge=1)
    state: Literal["", "open", "closed"] = field("", title="State", description="Empty: as it is.")
    title: str | None = field(None, title="Title", max_length=256)
    body: str | None = field(None, multiline=True, title="Text")
    labels: list[str] | None = field(None, title="Labels", description="These replace what it has.")


@GITHUB.action(
    "GITHUB_CHANGE_ISSUE",
    Config,
    title="change an issue",
    help="Closes, opens or changes an issue.",
    repeatable=True,
)
async def change_issue(config: Config, github: Calls) -> JsonObject:
    changes = {"state": config.state or None, "title": config.title, "body": config.body, "labels": config.labels}
    parts = (config.owner, config.repository, str(config.number))
    return await github.send("PATCH", "/repos/{}/{}/issues/{}", *parts, json=changes)
