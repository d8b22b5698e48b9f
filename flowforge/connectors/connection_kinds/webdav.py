"""webdav: files on a server of WebDAV (RFC 4918), such as Nextcloud."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from urllib.parse import quote, unquote, urlsplit
from xml.etree.ElementTree import Element

from flowforge.connectors.sdk import (
    ConnectionKind,
    ConnectorConfig,
    Content,
    Credentials,
    Request,
    Response,
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
        answer = self._send("PROPFIND", folder, headers=headers, data=_ASKED)
        answer.raise_for_status("the server")
        asked = unquote(urlsplit(self._url(folder)).path).rstrip("/")
        for found in xml_of(answer).iter(f"{_DAV}response"):
            path = unquote(urlsplit(found.findtext(f"{_DAV}href", "")).path)
            if path.rstrip("/") != asked:
                yield _entry(path.removeprefix(self._root), found)

    def read(self, path: str, target: remote_files.Sink) -> None:
        copy_download(self.credentials, self._url(path), target)

    def write(self, path: str, content: Content) -> None:
        self._send("PUT", path, data=body_of(content)).raise_for_status("the server")

    def delete(self, path: str) -> None:
        self._send("DELETE", path).raise_for_status("the server")

    def move(self, path: str, target: str) -> None:
        headers = {"Destination": self._url(target), "Overwrite": "T"}
        self._send("MOVE", path, headers=headers).raise_for_status("the server")

    @property
    def _root(self) -> str:
        return unquote(urlsplit(self._url("")).path)

    def _url(self, path: str) -> str:
        return f"{self.credentials.config.url.rstrip('/')}/{quote(path.lstrip('/'))}"

    def _send(self, method: str, path: str, **parts: object) -> Response:
        http, context = self.credentials.context.tools.http, self.credentials.context
        return http.send(context, method, self._url(path), signed_by=self.credentials, **parts)  # type: ignore[arg-type]


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
    """RFC 7617, 2."""
    config = credentials.config
    encoded = base64.b64encode(f"{config.username}:{config.password}".encode()).decode()
    credentials.context.secrets.append(encoded)
    return request.with_headers({"Authorization": f"Basic {encoded}"})


@contextmanager
def _open(credentials: Credentials[WebdavServer]) -> Iterator[WebdavFiles]:
    yield WebdavFiles(credentials)


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
