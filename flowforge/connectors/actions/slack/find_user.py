"""SLACK_USER: a person by the mail address.

https://docs.slack.dev/reference/methods/users.lookupByEmail
"""

from __future__ import annotations

from flowforge.connectors.actions.slack import WORKSPACE
from flowforge.connectors.sdk import Calls, ConnectorError, ServiceConfig, field, first_of
from flowforge.jsonio import JsonObject


class Config(ServiceConfig):
    email: str = field(title="Mail address", min_length=3)


@WORKSPACE.action(
    "SLACK_USER",
    Config,
    title="look up a user",
    help="Finds a person by the mail address.",
    summary=first_of("email"),
    repeatable=True,
)
async def find_user(config: Config, slack: Calls) -> JsonObject:
    """Somebody who is not there is no failure."""
    try:
        answer = await slack.get("/users.lookupByEmail", query={"email": config.email})
    except ConnectorError as error:
        if "users_not_found" not in str(error):
            raise
        return {"found": False, "user": None}
    return {"found": True, "user": answer.get("user")}
