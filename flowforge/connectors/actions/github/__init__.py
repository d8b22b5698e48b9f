"""GitHub: issues, comments, workflows of Actions."""

from __future__ import annotations

from flowforge.connectors.connection_kinds.bearer import BEARER
from flowforge.connectors.connection_kinds.oauth2 import OAUTH2
from flowforge.connectors.sdk import Service, ServiceConfig, field

GITHUB = Service(
    "GitHub",
    "https://api.github.com",
    "branch",
    (BEARER, OAUTH2),
    ("git", "code", "issue"),
    {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"},
)


class RepositoryConfig(ServiceConfig):
    owner: str = field(title="Owner", min_length=1)
    repository: str = field(title="Repository", min_length=1)
