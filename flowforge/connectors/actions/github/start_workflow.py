"""GITHUB_START_WORKFLOW: run a workflow of GitHub Actions.

https://docs.github.com/rest/actions/workflows#create-a-workflow-dispatch-event
"""

from __future__ import annotations

from typing import Any

from flowforge.connectors.actions.github import GITHUB, RepositoryConfig
from flowforge.connectors.sdk import Calls, field, first_of
from flowforge.jsonio import JsonObject


class Config(RepositoryConfig):
    workflow: str = field(title="Workflow", description="Its file, such as deploy.yml, or its id.", min_length=1)
    ref: str = field("main", title="Branch or tag", min_length=1)
    inputs: dict[str, Any] = field(default_factory=dict, title="Inputs")


@GITHUB.action(
    "GITHUB_START_WORKFLOW",
    Config,
    title="start a workflow",
    help="Runs a workflow of GitHub Actions.",
    summary=first_of("workflow"),
)
async def start_workflow(config: Config, github: Calls) -> JsonObject:
    body = {"ref": config.ref, "inputs": config.inputs or None}
    parts = (config.owner, config.repository, config.workflow)
    await github.post("/repos/{}/{}/actions/workflows/{}/dispatches", *parts, json=body)
    return {"started": True}
