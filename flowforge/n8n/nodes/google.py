"""Google: Sheets, Drive, Calendar, Docs."""

from __future__ import annotations

import re
from typing import Any

from flowforge.jsonio import JsonObject
from flowforge.n8n.asking import Asked, Left, Result, no_counterpart, one, only_by_request
from flowforge.n8n.data import Data, Output, held, quote
from flowforge.n8n.nodes import node
from flowforge.n8n.values import literal
from flowforge.sentences import sentence

_ID_IN_ADDRESS = re.compile(r"/d/([A-Za-z0-9_-]{10,})|/folders/([A-Za-z0-9_-]{10,})")
_ITEM = re.compile(r"(?<![.\w])item(?!\w)")
_SHEETS = "https://sheets.googleapis.com/v4/spreadsheets"
_DRIVE = "https://www.googleapis.com/drive/v3/files"


def _id(asked: Asked, path: str) -> str:
    """An id, also where its address stands there."""
    text = asked.text(path)
    found = _ID_IN_ADDRESS.search(text)
    return (found[1] or found[2]) if found else text


# -- Sheets


@node("googleSheets")
def sheets(asked: Asked) -> Result:
    operation = asked.choice("operation", "read")
    resource = asked.choice("resource", "sheet")
    row = _SHEET_OPERATIONS.get((resource, operation))
    if row is None:
        raise only_by_request(operation, "Google Sheets")
    return row(asked)


def _sheet(asked: Asked) -> JsonObject:
    document = _id(asked, "documentId") or _id(asked, "sheetId")
    if not document:
        asked.note(sentence("the spreadsheet is to be chosen"))
    base = {"connection": asked.connection("Google Sheets"), "spreadsheetId": document or "choose-a-spreadsheet"}
    return base | {"sheet": _tab(asked)}


def _tab(asked: Asked) -> str:
    """The name of the tab; newer nodes hold its number, and remember its name beside it."""
    raw = asked.node.parameters.get("sheetName")
    if isinstance(raw, dict):
        known = raw.get("cachedResultName")
        if isinstance(known, str) and known.strip():
            return literal(known)
        if raw.get("mode") == "name":
            return asked.text_of(raw.get("value")) or "Sheet1"
        asked.note(sentence("the name of the tab is not in the file: it is taken to be Sheet1"))
        return "Sheet1"
    if isinstance(raw, str) and raw:
        return asked.text_of(raw)
    range_ = str(asked.raw("range", ""))
    return literal(range_.split("!")[0].strip("'")) if "!" in range_ else "Sheet1"


def _read(asked: Asked) -> Output:
    path = asked.step("SHEETS_READ", _sheet(asked))
    rows = f"{path}.rows"
    if asked.raw("options.range") or (asked.raw("range") and ":" in str(asked.raw("range"))):
        asked.note(sentence("all rows are read, not only those of a range"))
    filters = asked.rows("filtersUI.values")
    tests = [
        f"item[{quote(str(row.get('lookupColumn')))}] | default('') | string == {_outer(asked, row.get('lookupValue'))}"
        for row in filters
        if row.get("lookupColumn")
    ]
    if tests:
        word = " or " if asked.raw("combineFilters") == "OR" else " and "
        rows = f"{rows} | filter({word.join(f'({test})' for test in tests)})"
        kept = asked.step("TRANSFORM", {"output": {"items": f"{{{{ {asked.values.fits(rows)} }}}}"}}, hint="rows found")
        rows = f"{kept}.items"
    return Output(many=rows, renamed={"row_number": "rowNumber"})


def _outer(asked: Asked, raw: Any) -> str:
    """A value inside an expression on `item`: the item of a loop around it is `outer` there."""
    written = asked.bare(raw)
    return f"({_ITEM.sub('outer', written)}) | string"


def _lookup(asked: Asked) -> Output:
    config = _sheet(asked) | {
        "column": asked.needed(asked.text("lookupColumn"), sentence("the column"), "id"),
        "value": asked.needed(asked.text("lookupValue"), sentence("the value"), "…"),
    }
    path = asked.step("SHEETS_FIND", config)
    return Output(Data(f"{path}.row", renamed={"row_number": "rowNumber"}))


def _columns(asked: Asked) -> tuple[Any, list[str]]:
    """What is written, by the names of columns, and the columns that find a row."""
    matching = [str(name) for name in asked.raw("columns.matchingColumns", []) or []]
    mode = asked.raw("columns.mappingMode", asked.raw("dataMode", "autoMapInputData"))
    if mode == "defineBelow":
        values = asked.raw("columns.value")
        if isinstance(values, dict) and values:
            return {str(name): asked.values.value(value) for name, value in values.items()}, matching
        rows = asked.rows("fieldsUi.values") or asked.rows("fieldsUi.fieldValues")
        return {_column(row): asked.values.value(row.get("fieldValue", "")) for row in rows if _column(row)}, matching
    return asked.item, matching


def _column(row: JsonObject) -> str:
    return str(row.get("column") or row.get("fieldId") or "")


def _append(asked: Asked) -> Result:
    values, _ = _columns(asked)
    values = asked.needed(values, sentence("what it writes"), {"column": "value"})
    config = _sheet(asked) | {"rows": values}
    if asked.raw("options.cellFormat", asked.raw("options.valueInputMode")) != "RAW":
        config["valueInputOption"] = "USER_ENTERED"
    asked.step("SHEETS_APPEND", config)
    return _as_before(asked)


def _update(asked: Asked) -> Result:
    config, _ = _change(asked)
    asked.step("SHEETS_UPDATE", config)
    return _as_before(asked)


def _append_or_update(asked: Asked) -> Result:
    config, values = _change(asked)
    path = asked.step("SHEETS_UPDATE", config)
    sheet = {key: config[key] for key in ("connection", "spreadsheetId", "sheet", "valueInputOption") if key in config}
    asked.step("SHEETS_APPEND", sheet | {"rows": values}, when=f"{{{{ {path}.updated == 0 }}}}", hint="append row")
    return _as_before(asked)


def _change(asked: Asked) -> tuple[JsonObject, Any]:
    values, matching = _columns(asked)
    key = matching[0] if matching else asked.text("columnToMatchOn") or asked.text("key") or "id"
    if len(matching) > 1:
        asked.note(
            sentence(
                "rows are found by '%(column)s' alone, not by all the columns that were chosen", column=matching[0]
            )
        )
    if key == "row_number":
        asked.note(sentence("rows are found by a column here, not by their number: choose one that tells them apart"))
        key = "choose-a-column"
    value = (
        values.get(key, "")
        if isinstance(values, dict)
        else asked.braced(f"{held(asked.given.item.field(key))} | default('')")
    )
    if isinstance(values, dict) and key not in values:
        value = asked.text("valueToMatchOn")
    value = asked.needed(value, sentence("the value that finds the row"), "…")
    changes = {name: each for name, each in values.items() if name != key} if isinstance(values, dict) else values
    changes = asked.needed(changes, sentence("what it changes"), {"column": "value"})
    config = _sheet(asked) | {
        "column": literal(key),
        "value": value,
        "changes": changes,
        "valueInputOption": "USER_ENTERED",
    }
    return config, values


def _as_before(asked: Asked) -> Output:
    asked.note(sentence("later steps see the item as it was before, not the row that was written"))
    return asked.given


def _clear(asked: Asked) -> Result:
    sheet = _sheet(asked)
    url = f"{_SHEETS}/{sheet['spreadsheetId']}/values/{sheet['sheet']}:clear"
    asked.step("HTTP_REQUEST", {"url": url, "method": "POST", "body": {}, "connection": sheet["connection"]})
    return asked.given


def _create_tab(asked: Asked) -> Output:
    sheet = _sheet(asked)
    body = {"requests": [{"addSheet": {"properties": {"title": asked.text("title")}}}]}
    url = f"{_SHEETS}/{sheet['spreadsheetId']}:batchUpdate"
    path = asked.step("HTTP_REQUEST", {"url": url, "method": "POST", "body": body, "connection": sheet["connection"]})
    return one(f"{path}.body.replies[0].addSheet.properties")


def _create(asked: Asked) -> Output:
    title = asked.text("title") or "Untitled"
    path = asked.step("SHEETS_CREATE", {"connection": asked.connection("Google Sheets"), "title": title})
    return Output(Data(path, renamed={"spreadsheetUrl": "url"}))


def _delete_rows(asked: Asked) -> Output:
    """Rows of a tab, which the API knows by its number. Raises Left for columns."""
    if asked.raw("toDelete", "rows") != "rows":
        raise Left(sentence("columns are deleted: use an HTTP_REQUEST step"))
    base = _sheet(asked)
    first = f"(({asked.bare(asked.raw('startIndex', 2))}) | int)"
    count = f"(({asked.bare(asked.raw('numberToDelete', 1))}) | int)"
    span = {"startIndex": asked.braced(f"{first} - 1"), "endIndex": asked.braced(f"{first} - 1 + {count}")}
    range_ = {"sheetId": _number_of_tab(asked), "dimension": "ROWS", **span}
    config = {"url": f"{_SHEETS}/{base['spreadsheetId']}:batchUpdate", "method": "POST"}
    body = {"requests": [{"deleteDimension": {"range": range_}}]}
    asked.step("HTTP_REQUEST", config | {"body": body, "connection": base["connection"]})
    return Output(Data("{}"))


def _number_of_tab(asked: Asked) -> int:
    number = str(asked.raw("sheetName", "")).removeprefix("gid=")
    if number.isdecimal():
        return int(number)
    asked.note(sentence("the number of the tab is not in the file: it is taken to be 0"))
    return 0


_SHEET_OPERATIONS = {
    ("sheet", "read"): _read,
    ("sheet", "readRows"): _read,
    ("sheet", "lookup"): _lookup,
    ("sheet", "append"): _append,
    ("sheet", "update"): _update,
    ("sheet", "appendOrUpdate"): _append_or_update,
    ("sheet", "upsert"): _append_or_update,
    ("sheet", "clear"): _clear,
    ("sheet", "delete"): _delete_rows,
    ("sheet", "create"): _create_tab,
    ("spreadsheet", "create"): _create,
    ("spreadsheet", "read"): _create,
}


# -- Drive


@node("googleDrive")
def drive(asked: Asked) -> Result:
    resource = asked.choice("resource", "file")
    operation = asked.choice("operation", {"fileFolder": "search", "folder": "create"}.get(resource, "upload"))
    if asked.node.version < 3 and operation == "list":
        return _search(asked)
    row = _DRIVE_OPERATIONS.get((resource, operation))
    if row is None:
        raise only_by_request(operation, "Google Drive")
    return row(asked)


def _drive(asked: Asked) -> JsonObject:
    return {"connection": asked.connection("Google Drive")}


def _upload(asked: Asked) -> Output:
    name = asked.raw("inputDataFieldName", asked.raw("binaryPropertyName", "data"))
    config = _drive(asked) | {"file": asked.file(str(name)), "name": asked.text("name"), "folder": _folder(asked)}
    return one(asked.step("DRIVE_UPLOAD", {key: value for key, value in config.items() if value}))


def _folder(asked: Asked) -> str:
    found = _id(asked, "folderId")
    return "" if found in ("root", "") else found


def _download(asked: Asked) -> Output:
    config = _drive(asked) | {"fileId": asked.needed(_id(asked, "fileId"), sentence("the file"), "choose-a-file")}
    formats = asked.raw("options.googleFileConversion.conversion", {})
    if isinstance(formats, dict) and isinstance(formats.get("docsToFormat"), str):
        config["exportAs"] = formats["docsToFormat"]
    path = asked.step("DRIVE_DOWNLOAD", config)
    return Output(asked.given.item, files=asked.given.files, any_file=f"{path}.file")


def _search(asked: Asked) -> Output:
    query = asked.text("queryString")
    config = _drive(asked) | {"limit": _limit(asked, 50)}
    method = asked.raw("searchMethod", "query" if asked.node.version < 3 and asked.raw("useQueryString") else "name")
    if query and method == "query":
        config["query"] = query
    elif query:
        config["query"] = f"name contains '{query}' and trashed = false"
    folder = _id(asked, "filter.folderId")
    if folder and folder != "root":
        config["folder"] = folder
    return Output(many=f"{asked.step('DRIVE_LIST', config)}.items")


def _limit(asked: Asked, usual: int) -> Any:
    if asked.raw("returnAll") is True:
        return 10_000
    limit = asked.number("limit", usual)
    return max(1, min(limit, 10_000)) if isinstance(limit, int) else limit


def _create_folder(asked: Asked) -> Output:
    parent = _folder(asked)
    body = {"name": asked.text("name"), "mimeType": "application/vnd.google-apps.folder"} | (
        {"parents": [parent]} if parent else {}
    )
    return _call_drive(asked, "POST", "", body=body)


def _call_drive(asked: Asked, method: str, address: str, *, body: Any = None, query: Any = None) -> Output:
    config = {"url": f"{_DRIVE}{address}", "method": method, **_drive(asked)}
    config |= ({"body": body} if body else {}) | {"query": {"supportsAllDrives": "true"} | (query or {})}
    return one(f"{asked.step('HTTP_REQUEST', config)}.body")


def _share(asked: Asked) -> Output:
    rights = asked.raw("permissionsUi.permissionsValues", {})
    if not isinstance(rights, dict):
        raise Left(sentence("with whom it is shared is computed: choose it by hand"))
    body = {
        key: asked.text_of(rights[each])
        for key, each in (("role", "role"), ("type", "type"), ("emailAddress", "emailAddress"))
        if rights.get(each)
    }
    return _call_drive(asked, "POST", f"/{_id(asked, 'fileId') or _id(asked, 'folderNoRootId')}/permissions", body=body)


def _move(asked: Asked) -> Output:
    asked.note(sentence("it is taken out of no folder: a file may stand in one only, so that it moves"))
    return _call_drive(asked, "PATCH", f"/{_id(asked, 'fileId')}", query={"addParents": _folder(asked)})


def _copy(asked: Asked) -> Output:
    body = {"name": asked.text("name")} | ({"parents": [_folder(asked)]} if _folder(asked) else {})
    return _call_drive(asked, "POST", f"/{_id(asked, 'fileId')}/copy", body=body)


def _delete(asked: Asked) -> Output:
    return _call_drive(asked, "DELETE", f"/{_id(asked, 'fileId') or _id(asked, 'folderNoRootId')}")


def _from_text(asked: Asked) -> Output:
    name = asked.text("name") or "Untitled.txt"
    content = asked.bare(asked.raw("content", ""))
    file = f"{{{{ ({content}) | string | to_file({quote('text.txt')}) }}}}"
    config = _drive(asked) | {"file": file, "name": name}
    if asked.raw("options.convertToGoogleDocument") is True:
        config["convertTo"] = "document"
    if _folder(asked):
        config["folder"] = _folder(asked)
    return one(asked.step("DRIVE_UPLOAD", config))


def _rename(asked: Asked) -> Output:
    return _call_drive(asked, "PATCH", f"/{_id(asked, 'fileId')}", body={"name": asked.text("newUpdatedFileName")})


_DRIVE_OPERATIONS = {
    ("file", "upload"): _upload,
    ("file", "download"): _download,
    ("file", "list"): _search,
    ("file", "share"): _share,
    ("file", "move"): _move,
    ("file", "copy"): _copy,
    ("file", "deleteFile"): _delete,
    ("file", "delete"): _delete,
    ("file", "update"): _rename,
    ("file", "createFromText"): _from_text,
    ("fileFolder", "search"): _search,
    ("folder", "create"): _create_folder,
    ("folder", "deleteFolder"): _delete,
    ("folder", "share"): _share,
}


# -- Calendar


@node("googleCalendar")
def calendar(asked: Asked) -> Result:
    operation = asked.choice("operation", "create")
    config: JsonObject = {
        "connection": asked.connection("Google Calendar"),
        "calendarId": asked.text("calendar") or "primary",
    }
    if asked.choice("resource", "event") == "calendar":
        return _availability(asked, config)
    if operation in ("create", "update"):
        return _event(asked, config, operation)
    if operation == "getAll":
        found = {"begin": _option(asked, "timeMin"), "end": _option(asked, "timeMax"), "query": _option(asked, "query")}
        config |= {key: value for key, value in found.items() if value} | {"limit": _limit(asked, 50)}
        return Output(many=f"{asked.step('CALENDAR_FIND', config)}.items")
    if operation == "delete":
        return one(asked.step("CALENDAR_DELETE", config | {"eventId": asked.text("eventId")}))
    if operation == "get":
        url = f"https://www.googleapis.com/calendar/v3/calendars/{config['calendarId']}/events/{asked.text('eventId')}"
        return one(f"{asked.step('HTTP_REQUEST', {'url': url, 'connection': config['connection']})}.body")
    raise no_counterpart(operation, "Google Calendar")


def _option(asked: Asked, name: str) -> str:
    return asked.text(name) or asked.text(f"options.{name}")


def _availability(asked: Asked, config: JsonObject) -> Output:
    body = {"timeMin": asked.text("timeMin"), "timeMax": asked.text("timeMax"), "items": [{"id": config["calendarId"]}]}
    call = {"url": "https://www.googleapis.com/calendar/v3/freeBusy", "method": "POST", "body": body}
    return Output(Data(f"{asked.step('HTTP_REQUEST', call | {'connection': config['connection']})}.body", unlike=True))


def _event(asked: Asked, config: JsonObject, operation: str) -> Output:
    fields = "additionalFields" if operation == "create" else "updateFields"
    guests = [asked.text_of(guest) for guest in asked.raw(f"{fields}.attendees", []) or [] if guest]
    written = {
        "begin": asked.text("start") or asked.text(f"{fields}.start"),
        "end": asked.text("end") or asked.text(f"{fields}.end"),
        "title": asked.text(f"{fields}.summary"),
        "description": asked.text(f"{fields}.description"),
        "location": asked.text(f"{fields}.location"),
        "guests": guests,
    }
    config |= {key: value for key, value in written.items() if value}
    if operation == "create":
        config.setdefault("title", "Event")
        config.setdefault("begin", "{{ now | iso }}")
        config.setdefault("end", "{{ now | plus(1, 'hours') | iso }}")
        return one(asked.step("CALENDAR_CREATE", config))
    return one(asked.step("CALENDAR_CHANGE", config | {"eventId": asked.text("eventId")}))


# -- Docs


@node("googleDocs")
def docs(asked: Asked) -> Result:
    operation, connection = asked.choice("operation", "create"), asked.connection("Google Docs")
    document = _id(asked, "documentURL")
    call: JsonObject = {"url": f"https://docs.googleapis.com/v1/documents/{document}", "connection": connection}
    if operation == "get":
        asked.note(sentence("n8n gives the text of the document; here it is gathered from its paragraphs"))
        path = asked.step("HTTP_REQUEST", call)
        text = (
            f"{path}.body.body.content | selectattr('paragraph', 'defined') | map(item.paragraph.elements"
            " | map(item.textRun.content | default('')) | join) | join"
        )
        read = asked.step(
            "TRANSFORM",
            {
                "output": {
                    "content": f"{{{{ {asked.values.fits(text)} }}}}",
                    "documentId": f"{{{{ {path}.body.documentId }}}}",
                }
            },
        )
        return one(read)
    if operation == "create":
        body: JsonObject = {"name": asked.text("title"), "mimeType": "application/vnd.google-apps.document"}
        folder = _id(asked, "folderId")
        body |= {"parents": [folder]} if folder and folder != "default" else {}
        call = {"url": _DRIVE, "method": "POST", "body": body, "connection": connection}
        return one(f"{asked.step('HTTP_REQUEST', call)}.body")
    requests = [_change_of_text(asked, row) for row in asked.rows("actionsUi.actionFields")]
    if operation != "update" or not requests:
        raise no_counterpart(operation, "Google Docs")
    call |= {"url": f"{call['url']}:batchUpdate", "method": "POST", "body": {"requests": requests}}
    return one(f"{asked.step('HTTP_REQUEST', call)}.body")


def _change_of_text(asked: Asked, row: JsonObject) -> JsonObject:
    action = row.get("action", "insert")
    if action == "insert" and row.get("object", "text") == "text":
        return {"insertText": {"endOfSegmentLocation": {}, "text": asked.text_of(row.get("text"))}}
    if action == "replaceAll":
        old = {"text": asked.text_of(row.get("text")), "matchCase": row.get("matchCase") is True}
        return {"replaceAllText": {"containsText": old, "replaceText": asked.text_of(row.get("replaceText"))}}
    raise Left(
        sentence("the change '%(action)s' of a document has no counterpart: use an HTTP_REQUEST step", action=action)
    )
