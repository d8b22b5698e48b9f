"""GitHub: issues, comments, files, workflows of Actions.

https://docs.github.com/rest
"""

from __future__ import annotations

from typing import Any, Literal

from flowforge.connectors.connection_kinds.bearer import BEARER
from flowforge.connectors.connection_kinds.oauth2 import OAUTH2
from flowforge.connectors.sdk import Calls, Paging, Service, ServiceConfig, field, first_of
from flowforge.jsonio import JsonObject

GITHUB = Service(
    "GitHub",
    "https://api.github.com",
    "branch",
    (BEARER, OAUTH2),
    ("git", "code", "issue"),
    {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"},
)
_PAGES = Paging(by="header", items="body")


class RepositoryConfig(ServiceConfig):
    owner: str = field(title="Owner", min_length=1)
    repository: str = field(title="Repository", min_length=1)


class CreateIssue(RepositoryConfig):
    title: str = field(title="Title", min_length=1, max_length=256)
    body: str = field("", multiline=True, title="Text", description="Markdown.")
    labels: list[str] = field(default_factory=list, title="Labels")
    assignees: list[str] = field(default_factory=list, title="Assigned to")


@GITHUB.action(
    "GITHUB_CREATE_ISSUE", CreateIssue, title="create an issue", help="Opens an issue.", summary=first_of("title")
)
def create_issue(config: CreateIssue, github: Calls) -> JsonObject:
    issue = {
        "title": config.title,
        "body": config.body or None,
        "labels": config.labels or None,
        "assignees": config.assignees or None,
    }
    return github.post("/repos/{}/{}/issues", config.owner, config.repository, json=issue)


class ListIssues(RepositoryConfig):
    state: Literal["open", "closed", "all"] = field("open", title="State")
    labels: list[str] = field(default_factory=list, title="Labels", description="Those that all have.")
    since: str = field("", title="Changed since", description="2026-01-31T00:00:00Z")
    limit: int = field(100, title="Issues at most", ge=1, le=10_000)


@GITHUB.action(
    "GITHUB_LIST_ISSUES",
    ListIssues,
    title="list issues",
    help="Gives issues and pull requests.",
    summary=first_of("repository"),
    repeatable=True,
)
def list_issues(config: ListIssues, github: Calls) -> JsonObject:
    query = {
        "state": config.state,
        "labels": ",".join(config.labels) or None,
        "since": config.since or None,
        "per_page": min(config.limit, 100),
    }
    return github.pages(_PAGES, "/repos/{}/{}/issues", config.owner, config.repository, query=query, most=config.limit)


class Comment(RepositoryConfig):
    number: int = field(title="Number", description="Of the issue or pull request.", ge=1)
    body: str = field(multiline=True, title="Text", description="Markdown.", min_length=1)


@GITHUB.action(
    "GITHUB_COMMENT", Comment, title="comment", help="Comments on an issue or pull request.", summary=first_of("body")
)
def comment(config: Comment, github: Calls) -> JsonObject:
    parts = (config.owner, config.repository, str(config.number))
    return github.post("/repos/{}/{}/issues/{}/comments", *parts, json={"body": config.body})


class ChangeIssue(RepositoryConfig):
    number: int = field(title="Number", ge=1)
    state: Literal["", "open", "closed"] = field("", title="State", description="Empty: as it is.")
    title: str | None = field(None, title="Title", max_length=256)
    body: str | None = field(None, multiline=True, title="Text")
    labels: list[str] | None = field(None, title="Labels", description="These replace what it has.")


@GITHUB.action(
    "GITHUB_CHANGE_ISSUE",
    ChangeIssue,
    title="change an issue",
    help="Closes, opens or changes an issue.",
    repeatable=True,
)
def change_issue(config: ChangeIssue, github: Calls) -> JsonObject:
    changes = {"state": config.state or None, "title": config.title, "body": config.body, "labels": config.labels}
    parts = (config.owner, config.repository, str(config.number))
    return github.send("PATCH", "/repos/{}/{}/issues/{}", *parts, json=changes)


class StartWorkflow(RepositoryConfig):
    workflow: str = field(title="Workflow", description="Its file, such as deploy.yml, or its id.", min_length=1)
    ref: str = field("main", title="Branch or tag", min_length=1)
    inputs: dict[str, Any] = field(default_factory=dict, title="Inputs")


@GITHUB.action(
    "GITHUB_START_WORKFLOW",
    StartWorkflow,
    title="start a workflow",
    help="Runs a workflow of GitHub Actions.",
    summary=first_of("workflow"),
)
def start_workflow(config: StartWorkflow, github: Calls) -> JsonObject:
    body = {"ref": config.ref, "inputs": config.inputs or None}
    parts = (config.owner, config.repository, config.workflow)
    github.post("/repos/{}/{}/actions/workflows/{}/dispatches", *parts, json=body)
    return {"started": True}
