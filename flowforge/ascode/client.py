"""The HTTP API of a FlowForge server, as far as the commands need it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from types import TracebackType
from typing import Any, Self

import requests
from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict
from requests.auth import AuthBase

from flowforge import jsonio
from flowforge.errors import FlowForgeError, Invalid, Problem
from flowforge.jsonio import JsonObject

_TIMEOUTS = (10, 120)
"""Seconds: to connect, and for the server to go on with its answer."""
_MAX_ANSWER_BYTES = 256 * 1024 * 1024
_PAGE = 50
"""Workflows in one answer: each may be a megabyte."""


_APIS = "/api/v1/apis"


class CannotReach(FlowForgeError):
    """The server does not answer, or not as one of ours; or it does not know who is asking."""


class ServerSettings(BaseSettings):
    """The server the commands talk to and the account they use; read where a command runs, not where the server
    does."""

    model_config = SettingsConfigDict(env_ignore_empty=True, populate_by_name=True, env_prefix="FLOWFORGE_FIELD_")

    url: str = Field("http://127.0.0.1:8080", validation_alias="FLOWFORGE_URL")
    token: SecretStr | None = Field(None, validation_alias="FLOWFORGE_TOKEN")
    user: str | None = Field(None, validation_alias="FLOWFORGE_USER")
    password: SecretStr | None = Field(None, validation_alias="FLOWFORGE_PASSWORD")


@dataclass(frozen=True, slots=True)
class _Bearer(AuthBase):
    """An `auth` of our own keeps requests from taking another one out of a .netrc."""

    token: str | None

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self.token:
            request.headers["Authorization"] = f"Bearer {self.token}"
        return request


class Client:
    """Close it, or use it in a `with`. Every method raises CannotReach."""

    def __init__(self, url: str, token: str | None = None) -> None:
        self.url = url.rstrip("/")
        self._session = requests.Session()
        self._session.auth = _Bearer(token)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._session.close()

    def sign_in(self, user: str, password: str) -> None:
        answer = self._ask("POST", "/auth/login", body={"username": user, "password": password})
        self._session.auth = _Bearer(str(answer["access_token"]))

    def export(self, names: Sequence[str]) -> Iterator[JsonObject]:
        """Documents of workflows; all of them where no key or name is given."""
        for page in count():
            query = {"name": list(names), "page": str(page), "size": str(_PAGE)}
            found: list[JsonObject] = self._ask("GET", "/api/v1/workflows/export", query=query)["workflows"]
            yield from found
            if len(found) < _PAGE:
                return

    def apply(self, documents: Sequence[JsonObject], *, dry_run: bool, note: str | None = None) -> list[JsonObject]:
        """Apply documents; return what became of each. Raises Invalid as the server does."""
        body = {"workflows": list(documents), "dryRun": dry_run, "note": note}
        return list(self._ask("POST", "/api/v1/workflows/apply", body=body)["workflows"])

    def apis(self) -> list[JsonObject]:
        """The APIs of the account, each with its `id` and `name`."""
        return list(self._ask("GET", _APIS))

    def api_versions(self, id_: str) -> dict[str, str]:
        """The ids of the versions of an API by their names."""
        return {version["version"]: version["id"] for version in self._ask("GET", f"{_APIS}/{id_}")["versions"]}

    def api_file(self, id_: str, version_id: str) -> bytes:
        """The description, as JSON."""
        return jsonio.dumps(self._ask("GET", f"{_APIS}/{id_}/versions/{version_id}/file"))

    def add_api(self, name: str, file: str) -> JsonObject:
        """Adds an API by the text of its description. Raises Invalid."""
        added: JsonObject = self._ask("POST", _APIS, body={"name": name, "file": file})
        return added

    def add_api_version(self, id_: str, file: str) -> str:
        """Adds a further description of an API; returns the name of the version. Raises Invalid."""
        return str(self._ask("POST", f"{_APIS}/{id_}/versions", body={"file": file})["version"])

    def _ask(
        self, method: str, path: str, *, query: Mapping[str, Any] | None = None, body: JsonObject | None = None
    ) -> Any:
        data = None if body is None else jsonio.dumps(body)
        try:
            with self._session.request(
                method,
                self.url + path,
                params=query,
                data=data,
                headers={"Content-Type": "application/json", "Accept": "application/json"},
                timeout=_TIMEOUTS,
                allow_redirects=False,
                stream=True,
            ) as response:
                return _understood(self.url, response)
        except (requests.RequestException, UnicodeError) as error:
            raise CannotReach(f"{self.url} does not answer: {_reason(error)}") from error


def _understood(url: str, response: requests.Response) -> Any:
    try:
        answer = jsonio.loads(_content(url, response))
    except ValueError:
        answer = None
    status = response.status_code
    if status in (200, 201) and isinstance(answer, dict | list):
        return answer
    if not isinstance(answer, dict) or "message" not in answer:
        raise CannotReach(f"{url} answers with status {status}, and not as a FlowForge server does")
    details = answer.get("details")
    if status == 400 and isinstance(details, list):
        raise Invalid([Problem(str(detail["pointer"]), str(detail["message"])) for detail in details])
    if status == 401:
        raise CannotReach(f"{url} does not know you: {answer['message']} (FLOWFORGE_TOKEN, or --user)")
    raise CannotReach(f"{url} refuses: {answer['message']} (status {status})")


def _content(url: str, response: requests.Response) -> bytes:
    content = bytearray()
    for part in response.iter_content(1 << 16):
        content += part
        if len(content) > _MAX_ANSWER_BYTES:
            raise CannotReach(f"{url} answers with more than {_MAX_ANSWER_BYTES:,} bytes")
    return bytes(content)


def _reason(error: Exception) -> str:
    """The innermost reason, without the wrapping of the libraries."""
    while error.__cause__ is not None or error.__context__ is not None:
        inner = error.__cause__ or error.__context__
        if not isinstance(inner, Exception):
            break
        error = inner
    return str(error) or type(error).__name__
