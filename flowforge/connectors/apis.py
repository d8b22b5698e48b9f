"""APIs as connectors see them: those that the account has added by their descriptions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from flowforge.apis.description import Description
from flowforge.errors import NotFound
from flowforge.sentences import sentence

_NO_APIS = sentence("there are no APIs here")


class Api(Protocol):
    """One version of an API."""

    @property
    def name(self) -> str: ...

    @property
    def title(self) -> str: ...

    @property
    def version(self) -> str:
        """The name of the version: `sha256:` and the beginning of its file's digest."""

    @property
    def description(self) -> Description:
        """Raises ConnectorError where its file was deleted meanwhile."""


class ApiAccess(Protocol):
    """The APIs of one account."""

    def titles(self) -> Mapping[str, str]:
        """The titles of all, by their names."""

    def versions(self, name: str) -> Sequence[tuple[str, str]]:
        """The versions of one, newest first, each with the number that its file states."""

    def find(self, name: str, version: str = "") -> Api:
        """One by its name, in the version that is named or, without one, the present one. Raises NotFound."""


class NoApis:
    """For contexts that belong to no account."""

    def titles(self) -> Mapping[str, str]:
        return {}

    def versions(self, name: str) -> Sequence[tuple[str, str]]:
        return ()

    def find(self, name: str, version: str = "") -> Api:
        raise NotFound(_NO_APIS)
