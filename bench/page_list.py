"""The pages that `bench.pages` visits: each list in each order, with each filter, and a page deep in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self
from urllib.parse import quote

Ask = Callable[[str], Any]
"""Gives the answer of the API to a path."""

_SORTS = {"created": "newest", "name": "by name", "lastRun": "by last run", "changed": "by change", "state": "by state"}
_PAGES_DOWN = 5
"""Of 100 workflows each."""


@dataclass(frozen=True, slots=True)
class Page:
    name: str
    paths: Sequence[str]
    """Visited in turn."""


@dataclass(frozen=True, slots=True)
class Known:
    """What the addresses of pages are made of."""

    executions: Sequence[str]
    workflows: Sequence[str]
    busy: str
    """The workflow with a third of all executions, none of which has failed."""
    failing: Sequence[str]
    """Workflows that fail each time."""
    deep: str
    """A position two weeks back in the list of executions."""
    behind: dict[str, str]
    """By sort: the workflow behind which a page deep in the list begins."""
    middle: str
    """A moment two weeks back."""
    account: str

    @classmethod
    def asked(cls, ask: Ask) -> Self:
        listed = ask("/api/v1/executions/search?size=100&status=COMPLETED")["content"]
        failed = ask("/api/v1/executions/search?size=100&status=FAILED")["content"]
        workflows = [row["workflowId"] for row in listed]
        busy = max(set(workflows), key=workflows.count)
        middle = ask("/api/v1/executions/search?size=1&oldestFirst=true")["content"][0]["createdAt"]
        middle = _halfway(middle, listed[0]["createdAt"])
        return cls(
            executions=[row["id"] for row in listed],
            workflows=list(dict.fromkeys(one for one in workflows if one != busy)),
            busy=busy,
            failing=list(dict.fromkeys(row["workflowId"] for row in failed)),
            deep=ask(f"/api/v1/executions/search?size=1&to={quote(middle)}")["older"],
            behind={sort: _deep_in(ask, sort) for sort in _SORTS},
            middle=middle,
            account=ask("/api/v1/admin/accounts?size=5")[-1]["id"],
        )


def _halfway(earlier: str, later: str) -> str:
    first, last = (datetime.fromisoformat(moment) for moment in (earlier, later))
    return (first + (last - first) / 2).isoformat()


def _deep_in(ask: Ask, sort: str) -> str:
    after = ""
    for _ in range(_PAGES_DOWN):
        after = ask(f"/api/v1/workflows/search?size=100&sort={sort}{after and '&after='}{after}")["after"]
    return after


def pages(known: Known) -> Iterator[Page]:
    yield from _home()
    yield from _workflow_lists(known)
    yield from _workflow_pages(known)
    yield from _execution_lists(known)
    yield from _execution_pages(known)
    yield from _other_pages(known)
    yield from _api_lists(known)


def _home() -> Iterator[Page]:
    yield Page("home", ["/"])
    yield Page("home, 7 days", ["/?last=7d"])
    yield Page("home, what changes", ["/home/now"])


def _workflow_lists(known: Known) -> Iterator[Page]:
    for sort, name in _SORTS.items():
        yield Page(f"workflows, {name}", [f"/workflows?sort={sort}"])
        yield Page(f"workflows, {name}, reversed", [f"/workflows?sort={sort}&reversed=1"])
        down = "" if sort not in ("name", "state") else "&reversed=1"
        yield Page(f"workflows, {name}, deep in", [f"/workflows?sort={sort}{down}&after={known.behind[sort]}"])
    yield Page("workflows, by text", ["/workflows?q=99"])
    yield Page("workflows, none by text", ["/workflows?q=nothing-has-this"])
    yield Page("workflows, of a tag", ["/workflows?tag=team-a"])
    yield Page("workflows, of a folder", ["/workflows?folder=sales"])
    yield Page("workflows, of a folder by last run", ["/workflows?folder=sales&sort=lastRun"])
    for state in ("enabled", "disabled", "draft"):
        yield Page(f"workflows, {state}", [f"/workflows?state={state}"])
    yield Page("workflows, deleted", ["/workflows/deleted"])
    yield Page("command palette", ["/commands"])
    yield Page("command palette, by text", ["/commands?q=workflow+99"])


def _workflow_pages(known: Known) -> Iterator[Page]:
    yield Page("one workflow", [f"/workflows/{one}" for one in known.workflows])
    yield Page("one workflow, busy", [f"/workflows/{known.busy}"])
    yield Page("one workflow, its versions", [f"/workflows/{one}/versions" for one in known.workflows])
    yield Page("builder", [f"/workflows/{one}/build" for one in known.workflows])
    yield Page("builder, busy workflow", [f"/workflows/{known.busy}/build"])
    yield Page("builder, last runs", [f"/workflows/{known.busy}/build/runs"])


def _execution_lists(known: Known) -> Iterator[Page]:
    busy = f"workflow={known.busy}"
    yield Page("executions", ["/executions"])
    yield Page("executions, oldest first", ["/executions?order=oldest"])
    yield Page("executions, deep in", [f"/executions?at={quote(known.deep)}"])
    yield Page("executions, until a day", [f"/executions?until={known.middle[:16]}"])
    yield Page("executions, of 7 days", ["/executions?last=7d"])
    for status in ("RUNNING", "FAILED", "CANCELLED", "COMPLETED", "PENDING"):
        yield Page(f"executions, {status.lower()}", [f"/executions?status={status}"])
    yield Page("executions, failed, oldest first", ["/executions?status=FAILED&order=oldest"])
    yield Page("executions, failed, deep in", [f"/executions?status=FAILED&at={quote(known.deep)}"])
    yield Page("executions, of a trigger", ["/executions?trigger=scheduler"])
    yield Page("executions, of no trigger", ["/executions?trigger=email"])
    yield Page("executions, by text", ["/executions?q=order"])
    yield Page("executions, none by text", ["/executions?q=nothing-has-this"])
    yield Page("executions, of a workflow", [f"/executions?workflow={one}" for one in known.workflows])
    yield Page("executions, of the busy one", [f"/executions?{busy}"])
    yield Page("executions, deep in the busy one", [f"/executions?{busy}&at={quote(known.deep)}"])
    for status in ("FAILED", "CANCELLED", "RUNNING", "COMPLETED"):
        yield Page(f"executions, {status.lower()} of the busy one", [f"/executions?{busy}&status={status}"])
    yield Page("executions, none by text of the busy one", [f"/executions?{busy}&q=nothing-has-this"])
    failing = [f"/executions?workflow={one}" for one in known.failing]
    yield Page("executions, failed of a failing one", [f"{one}&status=FAILED" for one in failing])
    yield Page("executions, completed of a failing one", [f"{one}&status=COMPLETED" for one in failing])


def _execution_pages(known: Known) -> Iterator[Page]:
    for part in ("", "/progress", "/log", "/log?log=answer", "/log?state=FAILED"):
        name = "one execution" + (f", {part[1:].partition('=')[0].replace('?', ' by ')}" if part else "")
        yield Page(name, [f"/executions/{one}{part}" for one in known.executions])


def _other_pages(known: Known) -> Iterator[Page]:
    yield Page("failed messages", ["/failed-messages"])
    yield Page("templates", ["/templates"])
    yield Page("connections", ["/connections"])
    yield Page("tables", ["/tables"])
    yield Page("settings", ["/settings"])
    yield Page("settings, sessions", ["/settings/sessions"])
    yield Page("settings, tokens", ["/settings/tokens"])
    yield Page("administration, system", ["/administration/system"])
    yield Page("administration, accounts", ["/administration/accounts"])
    yield Page("administration, accounts, deep in", ["/administration/accounts?page=15"])
    yield Page("administration, accounts, by text", ["/administration/accounts?q=member99"])
    yield Page("administration, one account", [f"/administration/accounts/{known.account}"])
    yield Page("audit log", ["/audit-log"])
    yield Page("audit log, of an act", ["/audit-log?action=workflow.enabled"])
    yield Page("audit log, of an account", ["/audit-log?account=member5"])
    yield Page("audit log, until a day", [f"/audit-log?until={known.middle[:16]}"])


def _api_lists(known: Known) -> Iterator[Page]:
    api = "/api/v1"
    yield Page("API, home", [f"{api}/home"])
    yield Page("API, throughput", [f"{api}/home/throughput?hours=168"])
    yield Page("API, workflows (up to 1,000)", [f"{api}/workflows"])
    yield Page("API, workflows, 20", [f"{api}/workflows?size=20"])
    for sort, name in _SORTS.items():
        yield Page(f"API, search of workflows, {name}", [f"{api}/workflows/search?sort={sort}"])
    yield Page(
        "API, search of workflows, deep in", [f"{api}/workflows/search?sort=lastRun&after={known.behind['lastRun']}"]
    )
    yield Page("API, folders", [f"{api}/folders"])
    yield Page("API, deleted workflows", [f"{api}/deleted-workflows"])
    yield Page("API, executions", [f"{api}/executions"])
    yield Page("API, executions, page 1,000", [f"{api}/executions?page=1000"])
    for field in ("updatedAt", "status", "currentStep", "workflowId"):
        yield Page(f"API, executions by {field}", [f"{api}/executions?sort={field},asc"])
    for status in ("FAILED", "RUNNING", "COMPLETED"):
        yield Page(f"API, executions, {status.lower()}", [f"{api}/executions?status={status}"])
    yield Page("API, executions of the busy one", [f"{api}/executions?workflowId={known.busy}"])
    yield Page("API, executions, failed of it", [f"{api}/executions?workflowId={known.busy}&status=FAILED"])
    search = f"{api}/executions/search"
    yield Page("API, search of executions", [search])
    yield Page("API, search of executions, deep in", [f"{search}?cursor={quote(known.deep)}"])
    yield Page("API, search of executions, failed", [f"{search}?status=FAILED"])
    yield Page("API, search of executions, by text", [f"{search}?text=nothing-has-this"])
    yield Page("API, one execution", [f"{api}/executions/{one}" for one in known.executions])
    yield Page("API, log", [f"{api}/logs"])
    yield Page("API, log of a workflow", [f"{api}/logs/workflows/{one}" for one in known.workflows])
    yield Page("API, log of the busy workflow", [f"{api}/logs/workflows/{known.busy}"])
    yield Page("API, log of an execution", [f"{api}/logs/executions/{one}" for one in known.executions])
    yield Page("API, log of an event type", [f"{api}/logs?eventType=EXECUTION&status=FAILED"])
    yield Page("API, audit log", [f"{api}/audit-log"])
    yield Page("API, accounts", [f"{api}/admin/accounts?size=50"])
