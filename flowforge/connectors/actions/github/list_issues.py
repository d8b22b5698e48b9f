"""GITHUB_LIST_ISSUES: issues and pull requests.

https://docs.github.com/rest/issues/issues#list-repository-issues
"""

from __future__ import annotations

from typing import Literal

from flowforge.connectors.actions.github import GITHUB, RepositoryConfig
from flowforge.connectors.sdk import Calls, Paging, Polls, field, first_of
from flowforge.jsonio import JsonObject

_PAGES = Paging(by="header", items="body")


class Config(RepositoryConfig):
    state: Literal["open", "closed", "all"] = field("open", title="State")
    labels: list[str] = field(default_factory=list, title="Labels", description="Those that all have.")
    since: str = field("", title="Changed since", description="2026-01-31T00:00:00Z")
    limit: int = field(100, title="Maximum issues", ge=1, le=10_000)


@GITHUB.action(
    "GITHUB_LIST_ISSUES",
    Config,
    title="list issues",
    help="Gives issues and pull requests.",
    summary=first_of("repository"),
    repeatable=True,
    polls=Polls(
        "New issue on GitHub",
        "When a repository has a new issue or pull request",
        items="items",
        item_id="id",
        newest_first=True,
        sample={"id": 17, "number": 3, "title": "It is broken", "state": "open"},
    ),
)
async def list_issues(config: Config, github: Calls) -> JsonObject:
    query = {
        "state": config.state,
        "labels": ",".join(config.labels) or None,
        "since": config.since or None,
        "per_page": min(config.limit, 100),
    }
    return await github.pages(
        _PAGES, "/repos/{}/{}/issues", config.owner, config.repository, query=query, most=config.limit
    )
