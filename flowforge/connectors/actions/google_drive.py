"""Google Drive: list, download and upload files.

https://developers.google.com/workspace/drive/api/reference/rest/v3
"""

from __future__ import annotations

from typing import Literal

from flowforge.connectors.connection_kinds.jwt import JWT
from flowforge.connectors.connection_kinds.oauth2 import OAUTH2
from flowforge.connectors.sdk import Calls, File, Paging, Polls, Service, ServiceConfig, field, first_of, given, related
from flowforge.jsonio import JsonObject

DRIVE = Service("Google Drive", "https://www.googleapis.com", "docs", (OAUTH2, JWT), ("google", "file"))
_FIELDS = "id,name,mimeType,size,parents,createdTime,modifiedTime,webViewLink"
_PAGES = Paging(by="cursor", at="body.nextPageToken", parameter="pageToken", items="body.files")
_EVERYWHERE: JsonObject = {"supportsAllDrives": True}


class List(ServiceConfig):
    folder: str = field("", title="Folder id", description="Empty: the whole drive.")
    query: str = field("", title="Search", description="As the API has it: name contains 'offer' and trashed = false")
    order_by: str = field("", title="Order by", description="modifiedTime desc")
    limit: int = field(100, title="Maximum files", ge=1, le=10_000)


@DRIVE.action(
    "DRIVE_LIST",
    List,
    title="list files",
    help="Finds files and folders.",
    summary=first_of("query", "folder"),
    repeatable=True,
    polls=Polls(
        "New file in Google Drive",
        "When a file is added to Google Drive or one of its folders",
        items="items",
        item_id="id",
        newest_first=True,
        fixed={"orderBy": "recency desc"},
        sample={"id": "1aB2c", "name": "Offer.pdf", "mimeType": "application/pdf", "size": "40960"},
    ),
)
async def list_files(config: List, drive: Calls) -> JsonObject:
    conditions = [f"'{_quoted(config.folder)}' in parents"] if config.folder else []
    conditions += [f"({config.query})"] if config.query else ["trashed = false"]
    query = {
        "q": " and ".join(conditions),
        "orderBy": config.order_by or None,
        "pageSize": min(config.limit, 1000),
        "fields": f"nextPageToken,files({_FIELDS})",
        "includeItemsFromAllDrives": True,
        **_EVERYWHERE,
    }
    return await drive.pages(_PAGES, "/drive/v3/files", query=query, most=config.limit)


class FetchFile(ServiceConfig):
    file_id: str = field(title="File id", min_length=1)
    export_as: str = field(
        "", title="Export as", description="For Google's own documents: application/pdf, text/csv, ... Empty: as it is."
    )


@DRIVE.action(
    "DRIVE_DOWNLOAD", FetchFile, title="download a file", help="Gives a file to the next steps.", repeatable=True
)
async def download(config: FetchFile, drive: Calls) -> JsonObject:
    about = await drive.get("/drive/v3/files/{}", config.file_id, query={"fields": _FIELDS, **_EVERYWHERE})
    name = str(about.get("name") or "")
    if config.export_as:
        query = {"mimeType": config.export_as}
        return {
            "file": await drive.download("/drive/v3/files/{}/export", config.file_id, query=query, name=name),
            **about,
        }
    query = {"alt": "media", **_EVERYWHERE}
    return {"file": await drive.download("/drive/v3/files/{}", config.file_id, query=query, name=name), **about}


class Upload(ServiceConfig):
    file: File = field(title="File")
    name: str = field("", title="Name", description="Empty: the file's own.")
    folder: str = field("", title="Folder id", description="Empty: the top of the drive.")
    convert_to: Literal["", "document", "spreadsheet", "presentation"] = field(
        "", title="Convert to", description="A document of Google's own."
    )


@DRIVE.action(
    "DRIVE_UPLOAD", Upload, title="upload a file", help="Puts a file into a folder.", summary=first_of("name")
)
async def upload(config: Upload, drive: Calls) -> JsonObject:
    content = await drive.content(config.file)
    metadata = given(
        {
            "name": config.name or content.name,
            "parents": [config.folder] if config.folder else None,
            "mimeType": f"application/vnd.google-apps.{config.convert_to}" if config.convert_to else None,
        }
    )
    query = {"uploadType": "multipart", "fields": _FIELDS, **_EVERYWHERE}
    body = related(metadata, content)
    return await drive.send("POST", "/upload/drive/v3/files", query=query, data=body)


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace("'", "\\'")
