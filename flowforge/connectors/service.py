"""Services: providers with an HTTP API, several of whose operations are actions."""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import IO, Any, TypeVar
from urllib.parse import quote, urlsplit

from flowforge.connectors.config import ConnectorConfig
from flowforge.connectors.connection_kind import ConnectionKind
from flowforge.connectors.connector import Connector
from flowforge.connectors.context import StepContext
from flowforge.connectors.errors import ConnectorError
from flowforge.connectors.files import Content
from flowforge.connectors.http_client.download import Download, name_of
from flowforge.connectors.http_client.parameters import Nested, Pair, pairs_of
from flowforge.connectors.http_client.response import Response
from flowforge.connectors.http_client.streamed_body import StreamedBody
from flowforge.connectors.paging.declaration import Paging
from flowforge.connectors.paging.page import Page
from flowforge.connectors.paging.reading import read_pages
from flowforge.connectors.polls import Polls
from flowforge.fields import field as config_field
from flowforge.file_values import ANY_TYPE, AnyFile
from flowforge.jsonio import JsonObject
from flowforge.summaries import NO_SUMMARY, Summary

_PLACE = re.compile(r"\{\}")


class ServiceConfig(ConnectorConfig):
    """Base of the configs of a service's actions."""

    endpoint: str = config_field(
        "",
        title="Endpoint",
        description="The address of a service that is compatible, or of a proxy. Empty: the service's own.",
        group="Options",
    )


C = TypeVar("C", bound=ServiceConfig)
T = TypeVar("T")


def require_success(response: Response, name: str) -> None:
    """The usual judgement of an answer: its status. Raises ConnectorError."""
    response.raise_for_status(name)


@dataclass(frozen=True)
class Service:
    """A provider. `address`: that of its API, without a slash at the end. `judge` raises ConnectorError for an answer
    that is a failure."""

    name: str
    address: str
    icon: str
    connections: tuple[ConnectionKind[Any], ...]
    keywords: tuple[str, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    """Sent with every request."""
    judge: Callable[[Response, str], None] = require_success

    def action(
        self,
        type_: str,
        config: type[C],
        *,
        title: str,
        help: str,  # noqa: A002  (the field's word, as in `connector`)
        summary: Summary = NO_SUMMARY,
        repeatable: bool = False,
        keywords: tuple[str, ...] = (),
        polls: Polls | None = None,
    ) -> Callable[[Callable[[C, Calls], Coroutine[Any, Any, JsonObject]]], Connector[C]]:
        """Makes a coroutine function into an action of the service; see Connector for what the parts mean. The title
        follows the service's name: `Gmail: send a mail`."""

        def declare(run: Callable[[C, Calls], Coroutine[Any, Any, JsonObject]]) -> Connector[C]:
            async def run_with_calls(config: C, context: StepContext) -> JsonObject:
                return await run(config, Calls(self, (config.endpoint or self.address).rstrip("/"), context))

            return Connector(
                type_,
                config,
                run_with_calls,
                f"{self.name}: {title}",
                help,
                self.icon,
                (*self.keywords, *keywords),
                summary,
                repeatable=repeatable,
                connections=self.connections,
                service=self.name,
                polls=polls,
                host=urlsplit(self.address).hostname or "",
            )

        return declare


@dataclass(frozen=True, slots=True)
class Calls:
    """The requests of one attempt to the service, signed by the step's connection.

    A path has `{}` for each of `parts`, which are percent-encoded: `get("/users/{}/repos", config.user)`. Parameters
    that are None are left out, and so are fields of a JSON object. Raise ConnectorError.
    """

    service: Service
    base: str
    context: StepContext

    async def get(self, path: str, *parts: str, query: JsonObject | None = None) -> JsonObject:
        return await self.send("GET", path, *parts, query=query)

    async def post(
        self, path: str, *parts: str, query: JsonObject | None = None, json: JsonObject | None = None
    ) -> JsonObject:
        return await self.send("POST", path, *parts, query=query, json=json)

    async def send(
        self,
        method: str,
        path: str,
        *parts: str,
        query: JsonObject | None = None,
        json: JsonObject | None = None,
        data: Sequence[Pair] | StreamedBody | None = None,
        nested: Nested = "repeat",
    ) -> JsonObject:
        """The JSON of the answer; an empty object where it has no body."""
        url, parameters = await self._target(path, parts, query, nested)
        response = await self._exchange(method, url, parameters, json, data)
        answer = await self._json(response)
        if not isinstance(answer, dict | None):
            raise ConnectorError(f"{self.service.name} answered with no JSON object", permanent=True, answered=True)
        return answer or {}

    async def download(self, path: str, *parts: str, query: JsonObject | None = None, name: str = "") -> JsonObject:
        """The answer's body as a file of the execution."""
        url, parameters = await self._target(path, parts, query)
        with Download(lambda response: response.ok, self.context.files.most_bytes) as download:
            response = await self._exchange("GET", url, parameters, None, None, download)
            assert download.content is not None
            type_ = response.headers.get("content-type", ANY_TYPE)
            return await self.keep(download.content, name or name_of(response.headers, url), type_)

    async def upload(self, url: str, body: StreamedBody) -> None:
        """Puts a file at an address that the service has named for it, unsigned."""
        response = await self.context.tools.async_http.send(self.context, "POST", url, data=body)
        response.raise_for_status(self.service.name)

    async def content(self, file: AnyFile) -> Content:
        """A file of the execution, to be sent."""
        return await self.context.in_thread(partial(self.context.files.content, file))

    async def keep(self, source: IO[bytes], name: str, type_: str) -> JsonObject:
        """A file of the execution, made of all that `source` holds."""
        kept = await self.context.in_thread(partial(self.context.files.keep, source, name, type_))
        return kept.as_json()

    async def compute(self, work: Callable[[], T], *, of: Any) -> T:
        """See StepContext."""
        return await self.context.compute(work, of=of)

    async def pages(
        self,
        paging: Paging,
        path: str,
        *parts: str,
        query: JsonObject | None = None,
        method: str = "GET",
        json: JsonObject | None = None,
        most: int | None = None,
    ) -> JsonObject:
        """All pages of a list, or as many as hold `most` items: `items`, `pages`, and whether it is `complete`."""
        url, parameters = await self._target(path, parts, query)

        async def fetch(page: Page, context: StepContext) -> JsonObject:
            calls = replace(self, context=context)
            paged = await calls.compute(lambda: (page.query(parameters), page.body(json)), of=(parameters, json))
            response = await calls._exchange(method, page.url(url), *paged, None)
            headers = {**response.headers, **response.repeated_headers}
            return {"body": await calls._json(response), "status": response.status, "headers": headers}

        cut = paging if most is None else paging.model_copy(update={"max_items": most})
        return await read_pages(cut, url, self.context, fetch)

    def told(self, answer: JsonObject, name: str) -> str:
        """A text that an answer must have. Raises ConnectorError."""
        if not isinstance(answer.get(name), str):
            raise ConnectorError(f"{self.service.name} answered without {name}", permanent=True, answered=True)
        return str(answer[name])

    async def _exchange(
        self,
        method: str,
        url: str,
        parameters: Sequence[Pair],
        json: JsonObject | None,
        data: Sequence[Pair] | StreamedBody | None,
        download: Download | None = None,
    ) -> Response:
        response = await self.context.tools.async_http.send(
            self.context,
            method,
            url,
            headers=self.service.headers,
            params=parameters,
            json=None if json is None else given(json),
            data=data,
            signed_by=self.context.connection,
            download=download,
        )
        await self.compute(partial(self.service.judge, response, self.service.name), of=response.content)
        return response

    async def _json(self, response: Response) -> Any:
        return await self.compute(response.json, of=response.content)

    async def _target(
        self, path: str, parts: Sequence[str], query: JsonObject | None, nested: Nested = "repeat"
    ) -> tuple[str, list[Pair]]:
        """The address of a request, and its parameters."""
        return await self.compute(lambda: (self._url(path, parts), pairs_of(query or {}, nested)), of=(parts, query))

    def _url(self, path: str, parts: Sequence[str]) -> str:
        left = iter(parts)
        return self.base + _PLACE.sub(lambda _: quote(next(left), safe=""), path)


def given(fields: JsonObject) -> JsonObject:
    """The fields that are not None."""
    return {name: value for name, value in fields.items() if value is not None}
