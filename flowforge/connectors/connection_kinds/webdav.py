"""webdav: files on a server of WebDAV (RFC 4918), such as Nextcloud."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from urllib.parse import quote, unquote, urlsplit
from xml.etree.ElementTree import Element

from flowforge.connectors.sdk import (
    ConnectionKind,
    ConnectorConfig,
    ConnectorError,
    Content,
    Credentials,
    Request,
    Response,
    StreamedBody,
    ask_server,
    body_of,
    copy_download,
    field,
    remote_files,
    secret,
    xml_of,
)

_DAV = "{DAV:}"
_ASKED = b'<propfind xmlns="DAV:"><prop><resourcetype/><getcontentlength/><getlastmodified/></prop></propfind>'


class WebdavServer(ConnectorConfig):
    url: str = field(
        title="Address", description="Of the topmost folder: https://cloud.example.com/remote.php/dav/files/ada"
    )
    username: str = field(title="User name")
    password: str = secret("", title="Password", description="With Nextcloud, an app password.")


@dataclass(frozen=True, slots=True)
class WebdavFiles:
    credentials: Credentials[WebdavServer]

    def entries(self, folder: str) -> Iterator[remote_files.Entry]:
        headers = {"Depth": "1", "Content-Type": "application/xml"}
        answer = self._ask("PROPFIND", folder, headers=headers, data=_ASKED)
        asked = unquote(urlsplit(self._url(folder)).path).rstrip("/")
        for found in xml_of(answer).iter(f"{_DAV}response"):
            path = unquote(urlsplit(found.findtext(f"{_DAV}href", "")).path)
            if path.rstrip("/") != asked:
                yield _entry(path.removeprefix(self._root), found)

    def read(self, path: str, target: remote_files.Sink) -> None:
        copy_download(self.credentials, self._url(path), target)

    def write(self, path: str, content: Content) -> None:
        self._ask("PUT", path, data=body_of(content))

    def make_folder(self, path: str) -> None:
        try:
            self._ask("MKCOL", path)
        except ConnectorError as error:
            if not error.permanent:
                raise

    def delete(self, path: str) -> None:
        self._ask("DELETE", path)

    def move(self, path: str, target: str) -> None:
        self._ask("MOVE", path, headers={"Destination": self._url(target), "Overwrite": "T"})

    @property
    def _root(self) -> str:
        return unquote(urlsplit(self._url("")).path)

    def _url(self, path: str) -> str:
        return f"{self.credentials.config.url.rstrip('/')}/{quote(path.lstrip('/'))}"

    def _ask(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        data: bytes | StreamedBody | None = None,
    ) -> Response:
        return ask_server(self.credentials, "the server", method, self._url(path), headers=headers, data=data)


def _entry(path: str, found: Element) -> remote_files.Entry:
    is_folder = found.find(f".//{_DAV}collection") is not None
    size = found.findtext(f".//{_DAV}getcontentlength", "")
    modified = found.findtext(f".//{_DAV}getlastmodified", "")
    return remote_files.Entry(
        path.strip("/"),
        is_folder,
        int(size) if size.isdecimal() and not is_folder else None,
        parsedate_to_datetime(modified).astimezone(UTC) if modified else None,
    )


def _sign(request: Request, credentials: Credentials[WebdavServer]) -> Request:
    config = credentials.config
    return request.with_headers({"Authorization": credentials.basic(config.username, config.password)})


def _open(credentials: Credentials[WebdavServer]) -> AbstractContextManager[WebdavFiles]:
    return nullcontext(WebdavFiles(credentials))


def _test(credentials: Credentials[WebdavServer]) -> bool:
    """Looks at the topmost folder."""
    next(WebdavFiles(credentials).entries(""), None)
    return True


WEBDAV = ConnectionKind(
    "webdav",
    WebdavServer,
    title="WebDAV",
    help="Files on a server of WebDAV, such as Nextcloud.",
    icon="globe",
    keywords=("webdav", "nextcloud", "owncloud", "files"),
    sign=_sign,
    open=_open,
    test=_test,
)
