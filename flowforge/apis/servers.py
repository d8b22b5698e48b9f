"""The addresses at which an API answers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin, urlsplit

from flowforge.apis.schemas.keywords import one_line
from flowforge.apis.shapes import as_list, as_object
from flowforge.errors import Problem, raise_any
from flowforge.sentences import sentence

_VARIABLE = re.compile(r"\{([^{}]*)\}")
_SAFE = re.compile(r"[A-Za-z0-9_.~-]+(:[0-9]{1,5})?")
_SAFE_IN_PATHS = re.compile(r"[A-Za-z0-9_.~/:-]*")
_SAFE_AS_WHOLE = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9_.~/-]*)?")
_LONGEST_VALUE = 253
_MOST_SERVERS = 200


@dataclass(frozen=True, slots=True)
class ServerVariable:
    """A part of a server's address that people choose."""

    default: str = ""
    choices: Sequence[str] = ()
    description: str = ""


@dataclass(frozen=True, slots=True)
class Server:
    """An address at which the API answers."""

    url: str
    """Absolute where the file or its own address says so; `{name}` stands for a variable."""
    description: str = ""
    variables: Mapping[str, ServerVariable] = field(default_factory=dict)

    def address(self, values: Mapping[str, str]) -> str:
        """The URL with its variables filled in, by their defaults where `values` has none, and without a slash at its
        end. Raises Invalid for a value that is missing, none of the choices, or no part of an address."""
        raise_any([problem for name in self.variables for problem in self._problems(name, values)])
        filled = _VARIABLE.sub(lambda found: self._value(found[1], values), self.url)
        return filled.rstrip("/")

    def _value(self, name: str, values: Mapping[str, str]) -> str:
        return str(values.get(name) or self.variables[name].default)

    def _problems(self, name: str, values: Mapping[str, str]) -> list[Problem]:
        value, variable = self._value(name, values), self.variables[name]
        if not value:
            return [Problem(f"/{name}", sentence("must be given: it is part of the server's address"))]
        if variable.choices and value not in variable.choices:
            return [
                Problem(f"/{name}", sentence("must be one of %(choices)s", choices=", ".join(variable.choices[:20])))
            ]
        if len(value) > _LONGEST_VALUE or not self._form_of(name).fullmatch(value):
            return [Problem(f"/{name}", sentence("must be a part of an address: letters, digits, dots and hyphens"))]
        return []

    def _form_of(self, name: str) -> re.Pattern[str]:
        """What a variable may be, by where it stands: the whole address, a part of the path, or of what is before."""
        written = f"{{{name}}}"
        if f"{self.url}/".startswith(f"{written}/"):
            return _SAFE_AS_WHOLE
        before, _, behind = self.url.partition("://")
        return _SAFE if written in before or written in behind.partition("/")[0] else _SAFE_IN_PATHS


def read_servers(given: Any, address: str) -> list[Server]:
    """The servers of a file that was found at an address; one at its root where it names none (OpenAPI 3.1, 4.8.1)."""
    listed = [server for server in as_list(given) if isinstance(server, dict)]
    usable = [server for server in listed[:_MOST_SERVERS] if isinstance(server.get("url"), str)]
    return [_server(server, address) for server in usable or [{"url": "/"}]]


def absolute(url: str, address: str) -> str:
    """The URL as seen from the address of the file, without spaces around it."""
    url = url.strip()
    if url.startswith("{") or "://" in url:
        return url
    joined = urljoin(address, url) if address else url
    return f"https:{joined}" if joined.startswith("//") else joined


def is_complete(url: str) -> bool:
    """Whether requests can be sent to it: it has a scheme of the web, and a host."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc)


def _server(given: dict[str, Any], address: str) -> Server:
    url = absolute(given["url"], address)
    variables = as_object(given.get("variables"))
    named = {name: _variable(variables.get(name)) for name in dict.fromkeys(_VARIABLE.findall(url))}
    return Server(url, one_line(given.get("description")), named)


def _variable(given: Any) -> ServerVariable:
    if not isinstance(given, dict):
        return ServerVariable()
    choices = tuple(str(choice) for choice in as_list(given.get("enum")) if _is_scalar(choice))
    default = given.get("default")
    return ServerVariable(str(default) if _is_scalar(default) else "", choices, one_line(given.get("description")))


def _is_scalar(value: Any) -> bool:
    return isinstance(value, str | int | float) and value != ""
