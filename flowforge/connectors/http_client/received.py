"""The answer to a request as the output of a step: as JSON, as text, or as a file."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import IO, Any, Literal

from flowforge.connectors.files import FileAccess
from flowforge.connectors.http_client.download import Download, name_of
from flowforge.connectors.http_client.response import Response
from flowforge.connectors.in_thread import InThread, compute, do_here
from flowforge.file_values import ANY_TYPE
from flowforge.jsonio import JsonObject
from flowforge.media_types import is_always_text, media_type_of

ResponseForm = Literal["automatic", "text", "json", "file"]
"""Automatic: JSON where the content type says so, else text, or a file where it is no text."""


@dataclass(frozen=True, slots=True)
class Receiving:
    """How a step takes an answer. `fail_on_status`: anything but a 2xx is an error, to be told and not to be kept."""

    form: ResponseForm
    fail_on_status: bool
    files: FileAccess
    in_thread: InThread = do_here

    async def receive(
        self,
        send: Callable[[Download], Awaitable[Response]],
        url: str,
        receiver: str,
        read_reason: Callable[[Response], str] | None = None,
    ) -> JsonObject:
        """The `body`, `status` and `headers` of the answer to what `send` asks for. It is given what takes the body
        where that goes to a temporary file: one that may be no text. Raises ConnectorError; see
        Response.raise_for_status."""
        with Download(self._is_download, self.files.most_bytes) as download:
            response = await send(download)
            if self.fail_on_status and not response.ok:
                refuse = partial(response.raise_for_status, receiver, read_reason)
                await self.in_thread(refuse, computes=True)  # the reason may be read by a large description
            headers = {**response.headers, **response.repeated_headers}
            body = await self._body(response, download, url)
            return {"body": body, "status": response.status, "headers": headers}

    def _is_download(self, response: Response) -> bool:
        if self.fail_on_status and not response.ok:
            return False
        if self.form == "automatic":
            return not is_always_text(media_type_of(response.headers.get("content-type", "")))
        return self.form == "file"

    async def _body(self, response: Response, download: Download, url: str) -> Any:
        if download.content is not None:
            return await self.in_thread(partial(self._taken, download, download.content, response, url))
        read = partial(_BODY_AS[self.form], response)
        return await compute(read, response.content, self.in_thread)

    def _taken(self, download: Download, content: IO[bytes], response: Response, url: str) -> Any:
        """A body that may be no text."""
        text = download.as_text(response) if self.form == "automatic" else None
        if text is not None:
            return text.body()
        type_ = response.headers.get("content-type", ANY_TYPE)
        return self.files.keep(content, name_of(response.headers, url), type_).as_json()


_BODY_AS: Mapping[ResponseForm, Callable[[Response], Any]] = {
    "automatic": Response.body,
    "text": lambda response: response.text,
    "json": Response.json,
    "file": Response.body,
}
