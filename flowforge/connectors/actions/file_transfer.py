"""FILE_TRANSFER: files on other servers; the kind of the connection decides how they are spoken to."""

from __future__ import annotations

from flowforge.connectors.connection_kinds.ftp import FTP
from flowforge.connectors.connection_kinds.s3 import S3
from flowforge.connectors.connection_kinds.sftp import SFTP
from flowforge.connectors.connection_kinds.webdav import WEBDAV
from flowforge.connectors.sdk import Polls, StepContext, connector, joined, remote_files
from flowforge.jsonio import JsonObject


@connector(
    "FILE_TRANSFER",
    remote_files.RemoteFilesConfig,
    title="Files on a server",
    help="Lists, gets, puts, deletes or moves files on S3, SFTP, FTP or WebDAV.",
    icon="table",
    keywords=("s3", "sftp", "ftp", "webdav", "upload", "download", "bucket", "nextcloud", "minio"),
    summary=joined("operation", "path"),
    repeatable=lambda config: config.get("operation", "get") in remote_files.READS,
    connections=(S3, SFTP, FTP, WEBDAV),
    polls=Polls(
        "New file on a server",
        "When a file is added to a folder on S3, SFTP, FTP or WebDAV",
        items="files",
        item_id="path",
        fixed={"operation": "list", "file": None, "target": None},
        sample={"name": "orders.csv", "path": "in/orders.csv", "size": 4096, "modifiedAt": "2026-01-05T08:30:00.000Z"},
    ),
)
def file_transfer(config: remote_files.RemoteFilesConfig, context: StepContext) -> JsonObject:
    with context.open_connection() as remote:
        return remote_files.carry_out(config, remote, context.files)
