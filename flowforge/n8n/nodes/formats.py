"""Files and text formats: what is read from a file, what is made a file, HTML, XML, Markdown, feeds, dates, digests."""

from __future__ import annotations

from flowforge.jsonio import JsonObject
from flowforge.n8n.asking import Asked, Left, Result, no_counterpart, one
from flowforge.n8n.data import Data, Output, quote
from flowforge.n8n.expressions.lexer import NotRead
from flowforge.n8n.expressions.times import strftime_of, unit_of
from flowforge.n8n.nodes import node
from flowforge.sentences import message_of, sentence

_TABLES = {"csv": "csv", "xlsx": "xlsx", "xls": "xlsx", "ods": "xlsx"}


# -- files


@node("extractFromFile", "readPDF", "readPdf")
def extract(asked: Asked) -> Result:
    operation = "pdf" if asked.node.kind.lower() == "readpdf" else asked.choice("operation", "csv")
    file = asked.file(str(asked.raw("binaryPropertyName", "data")))
    inner = file.removeprefix("{{ ").removesuffix(" }}")
    name = str(asked.raw("destinationKey", "data")) or "data"
    if operation in _TABLES:
        path = asked.step("READ_SPREADSHEET", {"file": file, "format": _TABLES[operation]})
        return Output(many=f"{path}.rows")
    if operation == "pdf":
        return one(asked.step("READ_PDF", {"file": file}))
    if operation in ("text", "html", "rtf", "xml"):
        return _field(asked, name, f"{inner} | text")
    if operation == "fromJson":
        return _field(asked, name, f"{inner} | text | fromjson")
    if operation == "binaryToPropery":
        return _field(asked, name, f"{inner} | base64")
    if operation == "fromIcs":
        return one(asked.step("READ_CALENDAR", {"source": file}))
    raise Left(sentence("the form '%(operation)s' of a file has no counterpart", operation=operation))


def _field(asked: Asked, name: str, expression: str) -> Output:
    """An item with one field."""
    path = asked.step("TRANSFORM", {"output": {name: f"{{{{ {asked.values.fits(expression)} }}}}"}})
    return one(path)


@node("convertToFile", whole_list=True)
def convert(asked: Asked) -> Result:
    operation = asked.choice("operation", "csv")
    name = asked.bare(asked.raw("options.fileName") or f"file.{_SUFFIXES.get(operation, operation)}")
    if operation in ("toText", "text", "toBinary"):
        return _one_file(asked, operation, name)
    if operation in ("csv", "xlsx", "xls", "ods", "html"):
        return _sheet_file(asked, "xlsx" if operation in ("xlsx", "xls", "ods") else "csv")
    if operation == "toJson":
        whole = asked.items if asked.raw("mode", "once") == "once" else asked.seen(asked.given.item.object)
        return _made(asked, f"({whole}) | tojson(2) | to_file({name}, 'application/json')")
    raise Left(sentence("a file of the form '%(operation)s' has no counterpart", operation=operation))


_SUFFIXES = {"toText": "txt", "text": "txt", "toJson": "json", "toBinary": "bin"}


def _one_file(asked: Asked, operation: str, name: str) -> Output:
    """A file of one field. Of a list it is made for the first item."""
    if asked.given.many is not None:
        asked.note(sentence("the file is made of the first item"))
    source = str(asked.raw("sourceProperty", "data")).removeprefix("=")
    path = asked.given.item
    keys = [part for part in source.split(".") if part] or ["data"]
    value = asked.seen(path.field(keys[0])) + "".join(f"[{quote(key)}]" for key in keys[1:])
    type_ = asked.text("options.mimeType") or ("text/plain" if operation != "toBinary" else "application/octet-stream")
    kind = quote(type_) if "{{" not in type_ else "'application/octet-stream'"
    return _made(asked, f"({value}) | string | to_file({name}, {kind})")


def _made(asked: Asked, expression: str) -> Output:
    path = asked.step("TRANSFORM", {"output": {"file": f"{{{{ {asked.values.fits(expression)} }}}}"}})
    return Output(Data("{}"), any_file=f"{path}.file")


def _sheet_file(asked: Asked, format_: str) -> Output:
    config: JsonObject = {"rows": asked.braced(asked.given.items), "format": format_}
    name = asked.text("options.fileName")
    path = asked.step("WRITE_SPREADSHEET", config | ({"name": name} if name else {}))
    return Output(Data("{}"), any_file=f"{path}.file")


@node("spreadsheetFile", whole_list=True)
def spreadsheet(asked: Asked) -> Result:
    format_ = str(asked.raw("fileFormat", "xlsx"))
    if asked.choice("operation", "fromFile") == "toFile":
        return _sheet_file(asked, "csv" if format_ in ("csv", "html", "rtf") else "xlsx")
    file = asked.file(str(asked.raw("binaryPropertyName", "data")))
    return Output(many=f"{asked.step('READ_SPREADSHEET', {'file': file})}.rows")


@node("moveBinaryData")
def move(asked: Asked) -> Result:
    if asked.raw("mode", "binaryToJson") == "jsonToBinary":
        name = asked.bare(asked.raw("options.fileName") or "file.json")
        return _made(asked, f"({asked.seen(asked.given.item.object)}) | tojson | to_file({name}, 'application/json')")
    file = asked.file(str(asked.raw("sourceKey", "data"))).removeprefix("{{ ").removesuffix(" }}")
    if asked.raw("setAllData", True) is True:
        return one(f"{asked.step('TRANSFORM', {'output': {'json': f'{{{{ {file} | text | fromjson }}}}'}})}.json")
    return _field(asked, str(asked.raw("destinationKey", "data")), f"{file} | text")


@node("compression")
def compression(asked: Asked) -> Result:
    raise Left(sentence("files are packed or unpacked: choose the ZIP step, and its files, by hand"))


@node("s3", "awsS3")
def s3(asked: Asked) -> Result:
    resource, operation = asked.choice("resource", "file"), asked.choice("operation", "download")
    base: JsonObject = {"connection": asked.connection("S3")}
    asked.note(sentence("the bucket is a part of the connection"))
    if resource != "file":
        raise Left(
            sentence("'%(operation)s' of a %(resource)s has no counterpart", operation=operation, resource=resource)
        )
    if operation == "upload":
        file = asked.file(str(asked.raw("binaryPropertyName", "data")))
        return one(
            asked.step("FILE_TRANSFER", base | {"operation": "put", "path": asked.text("fileName"), "file": file})
        )
    if operation == "download":
        path = asked.step("FILE_TRANSFER", base | {"operation": "get", "path": asked.text("fileKey")})
        return Output(asked.given.item, any_file=f"{path}.file")
    if operation == "delete":
        return one(asked.step("FILE_TRANSFER", base | {"operation": "delete", "path": asked.text("fileKey")}))
    if operation == "getAll":
        return Output(many=f"{asked.step('FILE_TRANSFER', base | {'operation': 'list'})}.files")
    raise no_counterpart(operation, "S3")


@node("ftp")
def ftp(asked: Asked) -> Result:
    operation = asked.choice("operation", "download")
    base: JsonObject = {"connection": asked.connection("SFTP" if asked.raw("protocol") == "sftp" else "FTP")}
    path = asked.text("path")
    if operation == "upload":
        if asked.raw("binaryData", True) is False:
            raise Left(sentence("a text is uploaded: make it a file first"))
        file = asked.file(str(asked.raw("binaryPropertyName", "data")))
        return one(asked.step("FILE_TRANSFER", base | {"operation": "put", "path": path, "file": file}))
    words = {"download": "get", "list": "list", "delete": "delete"}
    if operation not in words:
        raise no_counterpart(operation, "FTP")
    step = asked.step("FILE_TRANSFER", base | {"operation": words[operation], "path": path})
    if operation == "list":
        return Output(many=f"{step}.files")
    return Output(asked.given.item, any_file=f"{step}.file") if operation == "download" else one(step)


@node("readWriteFile", "readBinaryFile", "readBinaryFiles", "writeBinaryFile")
def disk(asked: Asked) -> Result:
    """Workflows reach no disk here: files stand on a server."""
    asked.note(
        sentence("workflows have no disk here: choose a connection to a server of files (S3, SFTP, FTP, WebDAV)")
    )
    base: JsonObject = {"connection": asked.connection("Files")}
    writes = asked.node.kind == "writeBinaryFile" or asked.raw("operation", "read") == "write"
    if writes:
        path = asked.needed(asked.text("fileName"), sentence("the path"), "file")
        file = asked.file(str(asked.raw("dataPropertyName", "data")))
        asked.step("FILE_TRANSFER", base | {"operation": "put", "path": path, "file": file})
        return asked.given
    path = asked.needed(asked.text("fileSelector") or asked.text("filePath"), sentence("the path"), "file")
    if "*" in path:
        raise Left(
            sentence("it reads all files that fit a pattern: list them with FILE_TRANSFER, then get each in a FOR_EACH")
        )
    read = asked.step("FILE_TRANSFER", base | {"operation": "get", "path": path})
    return Output(Data(f"{read}.file", renamed={"fileName": "name", "mimeType": "type"}), any_file=f"{read}.file")


# -- HTML, XML, Markdown, feeds


@node("html", "htmlExtract")
def html(asked: Asked) -> Result:
    operation = asked.choice(
        "operation", "extractHtmlContent" if asked.node.kind == "htmlExtract" else "generateHtmlTemplate"
    )
    if operation == "generateHtmlTemplate":
        return one(asked.step("TRANSFORM", {"output": {"html": asked.values.text(_template(asked.raw("html", "")))}}))
    if operation == "extractHtmlContent":
        return _selected(asked)
    raise Left(sentence("a table in HTML is made of the items: do that in a CODE step"))


def _template(raw: object) -> str:
    """A template holds expressions without a mark at its beginning."""
    text = raw if isinstance(raw, str) else ""
    return text if text.startswith("=") else f"={text}"


def _selected(asked: Asked) -> Output:
    name = str(asked.raw("dataPropertyName", "data")).removeprefix("=")
    if asked.raw("sourceData", "json") == "binary":
        source = asked.file(str(asked.raw("dataPropertyName", "data")))
    else:
        source = asked.braced(f"{asked.given.item.field(name)} | default('')")
    fields = [_part(asked, row) for row in asked.rows("extractionValues.values")]
    if not fields:
        fields = [asked.needed({}, sentence("what is extracted"), {"name": "value", "selector": "body"})]
    if asked.raw("options.trimValues") is False:
        asked.note(sentence("texts are trimmed"))
    path = asked.step("HTML", {"operation": "extract", "source": source, "fields": fields})
    return one(f"{path}.items[0]")


def _part(asked: Asked, row: JsonObject) -> JsonObject:
    part: JsonObject = {
        "name": str(row.get("key") or "value"),
        "selector": asked.text_of(row.get("cssSelector") or "body"),
    }
    kind = row.get("returnValue", "text")
    part |= (
        {"take": "attribute", "attribute": asked.text_of(row.get("attribute") or "href")} if kind == "attribute" else {}
    )
    part |= {"take": "html"} if kind == "html" else {}
    return part | ({"all": True} if row.get("returnArray") is True else {})


@node("markdown")
def markdown(asked: Asked) -> Result:
    back = asked.choice("mode", "htmlToMarkdown") == "markdownToHtml"
    source = asked.text("markdown" if back else "html")
    path = asked.step(
        "HTML",
        {
            "operation": "fromMarkdown" if back else "markdown",
            "source": asked.needed(source, sentence("the text"), "…"),
        },
    )
    key = str(asked.raw("destinationKey", "data")) or "data"
    text = f"{path}.{'html' if back else 'text'}"
    return Output(Data(path, {key: text}, base=asked.given.item))


@node("xml")
def xml(asked: Asked) -> Result:
    if asked.choice("mode", "xmlToJson") == "jsonToxml":
        path = asked.step("WRITE_XML", {"value": asked.item})
        return Output(Data(path, {str(asked.raw("dataPropertyName", "data")): f"{path}.text"}))
    name = str(asked.raw("dataPropertyName", "data")).removeprefix("=")
    path = asked.step("READ_XML", {"source": asked.braced(f"{asked.given.item.field(name)} | default('')")})
    return Output(Data(f"{path}.value", unlike=True))


@node("rssFeedRead")
def feed(asked: Asked) -> Result:
    url = asked.needed(asked.text("url"), sentence("the address"), "https://example.com/feed.xml")
    fetched = asked.step("HTTP_REQUEST", {"url": url, "response": "text"}, hint=f"fetch {asked.node.name}")
    path = asked.step("READ_FEED", {"source": f"{{{{ {fetched}.body }}}}"})
    return Output(many=f"{path}.entries", renamed=FEED)


FEED = {"contentSnippet": "summary", "pubDate": "published", "isoDate": "published", "guid": "id", "creator": "author"}
"""Fields of the entries of a feed by the names that n8n has for them."""


# -- dates and digests


@node("dateTime")
def date_time(asked: Asked) -> Result:
    if asked.node.version < 2:
        return _old_date(asked)
    operation = asked.choice("operation", "getCurrentDate")
    zone = asked.zone
    name = str(asked.raw("outputFieldName", "")) or {
        "getCurrentDate": "currentDate",
        "formatDate": "formattedDate",
    }.get(operation, "newDate")
    if operation == "getCurrentDate":
        return _dated(asked, name, f"now | iso({quote(zone)})")
    if operation == "formatDate":
        return _dated(
            asked, name, f"({asked.bare(asked.raw('date', ''))}) | date({quote(_format(asked))}, {quote(zone)})"
        )
    if operation in ("addToDate", "subtractFromDate"):
        amount, unit = asked.bare(asked.raw("duration", 0)), unit_of(str(asked.raw("timeUnit", "days")))
        word = "plus" if operation == "addToDate" else "minus"
        moved = f"({asked.bare(asked.raw('magnitude', ''))}) | {word}({amount}, {quote(unit)}, {quote(zone)})"
        return _dated(asked, name, f"{moved} | iso({quote(zone)})")
    raise Left(
        sentence("the operation '%(operation)s' of dates has no counterpart: use an expression", operation=operation)
    )


def _format(asked: Asked) -> str:
    written = str(asked.raw("format", "MM/dd/yyyy"))
    chosen = str(asked.raw("customFormat", "yyyy-MM-dd")) if written == "custom" else written
    try:
        return strftime_of(chosen.replace("YYYY", "yyyy").replace("DD", "dd"))
    except NotRead as error:
        raise Left(message_of(error)) from error


def _dated(asked: Asked, name: str, expression: str) -> Output:
    path = asked.step("TRANSFORM", {"output": {name: f"{{{{ {asked.values.fits(expression)} }}}}"}})
    return Output(Data(path, {name: f"{path}.{name}"}, base=asked.given.item), files=asked.given.files)


def _old_date(asked: Asked) -> Output:
    name = str(asked.raw("dataPropertyName", "data")) or "data"
    value = f"({asked.bare(asked.raw('value', ''))})"
    if asked.choice("action", "format") == "calculate":
        amount, unit = asked.bare(asked.raw("duration", 0)), unit_of(str(asked.raw("timeUnit", "days")))
        word = "plus" if asked.raw("operation", "add") == "add" else "minus"
        return _dated(asked, name, f"{value} | {word}({amount}, {quote(unit)}) | iso('Z')")
    written = str(asked.raw("toFormat", "MM/DD/YYYY"))
    try:
        format_ = strftime_of(written.replace("YYYY", "yyyy").replace("DD", "dd").replace("A", "a"))
    except NotRead as error:
        raise Left(message_of(error)) from error
    return _dated(asked, name, f"{value} | date({quote(format_)}, {quote(asked.zone)})")


@node("crypto")
def crypto(asked: Asked) -> Result:
    action = asked.choice("action", "hash")
    name = str(asked.raw("dataPropertyName", "data")) or "data"
    value, encoding = f"({asked.bare(asked.raw('value', ''))}) | string", str(asked.raw("encoding", "hex"))
    kind = str(asked.raw("type", "MD5"))
    if action == "hash" and kind in ("MD5", "SHA256"):
        return _dated(asked, name, f"{value} | {kind.lower()}({quote(encoding)})")
    if action == "hmac" and kind == "SHA256":
        return _dated(asked, name, f"{value} | hmac_sha256({asked.bare(asked.raw('secret', ''))}, {quote(encoding)})")
    if action == "generate":
        return _random(asked, name)
    raise Left(sentence("'%(action)s' by %(kind)s has no counterpart", action=action, kind=kind))


def _random(asked: Asked, name: str) -> Output:
    length = asked.raw("stringLength", 32)
    size = length if isinstance(length, int) else 32
    digits = f"Array.from(crypto.getRandomValues(new Uint8Array({size})), (one) => one.toString(16).padStart(2, '0'))"
    made = "crypto.randomUUID()" if asked.raw("encodingType", "uuid") == "uuid" else f"{digits}.join('')"
    path = asked.code(f"return {made};\n", {})
    return Output(Data(path, {name: path}, base=asked.given.item))
