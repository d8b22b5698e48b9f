"""GITHUB_COMMENT: comment on an issue or pull request.

https://docs.github.com/rest/issues/comments#create-an-issue-comment
"""

from __future__ import annotations

from flowforge.connectors.actions.github import GITHUB, RepositoryConfig
from flowforge.connectors.sdk import Calls, field, first_of
from flowforge.jsonio import JsonObject


class Config(RepositoryConfig):
    number: int = field(title="Number", description="Of the issue or pull request.", ge=1)
    body: str = field(multiline=True, title="Text", description="Markdown.", min_length=1)


@GITHUB.action(
    "GITHUB_COMMENT", Config, title="comment", help="Comments on an issue or pull request.", summary=first_of("body")
)
async def comment(config: Config, github: Calls) -> JsonObject:
    parts = (config.owner, config.repository, str(config.number))
    return await github.post("/repos/{}/{}/issues/{}/comments", *parts, json={"body": config.body})
