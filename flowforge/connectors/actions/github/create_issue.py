"""GITHUB_CREATE_ISSUE: open an issue.

https://docs.github.com/rest/issues/issues#create-an-issue
"""

from __future__ import annotations

from flowforge.connectors.actions.github import GITHUB, RepositoryConfig
from flowforge.connectors.sdk import Calls, field, first_of
from flowforge.jsonio import JsonObject


class Config(RepositoryConfig):
    title: str = field(title="Title", min_length=1, max_length=256)
    body: str = field("", multiline=True, title="Text", description="Markdown.")
    labels: list[str] = field(default_factory=list, title="Labels")
    assignees: list[str] = field(default_factory=list, title="Assigned to")


@GITHUB.action(
    "GITHUB_CREATE_ISSUE", Config, title="create an issue", help="Opens an issue.", summary=first_of("title")
)
async def create_issue(config: Config, github: Calls) -> JsonObject:
    issue = {
        "title": config.title,
        "body": config.body or None,
        "labels": config.labels or None,
        "assignees": config.assignees or None,
    }
    return await github.post("/repos/{}/{}/issues", config.owner, config.repository, json=issue)
