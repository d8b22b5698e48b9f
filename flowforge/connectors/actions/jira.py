"""Jira: create, find, comment and move issues.

https://developer.atlassian.com/cloud/jira/platform/rest/v2 (the version whose texts are plain)
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from flowforge.connectors.connection_kinds.basic import BASIC
from flowforge.connectors.connection_kinds.bearer import BEARER
from flowforge.connectors.connection_kinds.oauth2 import OAUTH2
from flowforge.connectors.sdk import Calls, ConnectorError, Paging, Polls, Service, ServiceConfig, field, first_of
from flowforge.jsonio import JsonObject

JIRA = Service("Jira", "", "check", (BASIC, BEARER, OAUTH2), ("atlassian", "issue", "ticket"))
_PAGES = Paging(by="cursor", at="body.nextPageToken", parameter="nextPageToken", items="body.issues")


class SiteConfig(ServiceConfig):
    endpoint: str = field(
        title="Site",
        description="https://example.atlassian.net, or https://api.atlassian.com/ex/jira/ and the cloud id for OAuth.",
        min_length=1,
    )


class Create(SiteConfig):
    project: str = field(title="Project", description="Its key: SALES.", min_length=1)
    issue_type: str = field("Task", title="Type", min_length=1)
    summary: str = field(title="Summary", min_length=1, max_length=255)
    description: str | None = field(None, multiline=True, title="Description")
    fields: JsonObject = field(default_factory=dict, title="Other fields", description='{"priority": {"name": "High"}}')


@JIRA.action(
    "JIRA_CREATE", Create, title="create an issue", help="Opens an issue in a project.", summary=first_of("summary")
)
async def create(config: Create, jira: Calls) -> JsonObject:
    fields = {
        "project": {"key": config.project},
        "issuetype": {"name": config.issue_type},
        "summary": config.summary,
        **({} if config.description is None else {"description": config.description}),
        **config.fields,
    }
    return await jira.post("/rest/api/2/issue", json={"fields": fields})


class Find(SiteConfig):
    jql: str = field(title="JQL", description="project = SALES AND status = Open ORDER BY created DESC", min_length=1)
    fields: list[str] = field(default=["summary", "status", "assignee", "created", "updated"], title="Fields")
    limit: int = field(100, title="Maximum issues", ge=1, le=10_000)


@JIRA.action(
    "JIRA_FIND",
    Find,
    title="find issues",
    help="Gives the issues that a search finds.",
    summary=first_of("jql"),
    repeatable=True,
    polls=Polls(
        "New issue in Jira",
        "When a new issue matches a Jira search",
        items="items",
        item_id="id",
        sample={"id": "10017", "key": "SHOP-17", "fields": {"summary": "It is broken"}},
    ),
)
async def find(config: Find, jira: Calls) -> JsonObject:
    query = {"jql": config.jql, "fields": ",".join(config.fields) or None, "maxResults": min(config.limit, 100)}
    return await jira.pages(_PAGES, "/rest/api/2/search/jql", query=query, most=config.limit)


class Comment(SiteConfig):
    issue: str = field(title="Issue", description="Its key: SALES-17.", min_length=1)
    body: str = field(multiline=True, title="Text", min_length=1)


@JIRA.action("JIRA_COMMENT", Comment, title="comment", help="Comments on an issue.", summary=first_of("issue"))
async def comment(config: Comment, jira: Calls) -> JsonObject:
    return await jira.post("/rest/api/2/issue/{}/comment", config.issue, json={"body": config.body})


class Move(SiteConfig):
    issue: str = field(title="Issue", description="Its key: SALES-17.", min_length=1)
    transition: str = field(title="Transition", description="Its name, such as Done, or its id.", min_length=1)


@JIRA.action(
    "JIRA_MOVE", Move, title="move an issue", help="Gives an issue another status.", summary=first_of("transition")
)
async def move(config: Move, jira: Calls) -> JsonObject:
    there = (await jira.get("/rest/api/2/issue/{}/transitions", config.issue)).get("transitions") or []
    found = await jira.compute(partial(_transition, there, config), of=(there, config.transition))
    await jira.post("/rest/api/2/issue/{}/transitions", config.issue, json={"transition": {"id": found["id"]}})
    return {"issue": config.issue, "transition": found["name"]}


def _transition(there: Sequence[JsonObject], config: Move) -> JsonObject:
    """Raises ConnectorError where the issue has no such transition."""
    wanted = config.transition.casefold()
    found = next((one for one in there if wanted in (str(one["id"]), str(one["name"]).casefold())), None)
    if found is None:
        names = ", ".join(str(one["name"]) for one in there) or "none"
        raise ConnectorError(
            f"{config.issue} has no transition {config.transition!r} now; it has {names}", permanent=True
        )
    return found
