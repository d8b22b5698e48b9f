"""READ_PDF: the text of a PDF."""

from __future__ import annotations

from flowforge.connectors.sdk import (
    ConnectorConfig,
    File,
    StepContext,
    child,
    connector,
    field,
    first_of,
    foreign_files,
    secret,
)
from flowforge.jsonio import JsonObject

_PDF = child.Program("pdf_program", memory=1024 * 1024 * 1024, work="the work on the PDF")


class Config(ConnectorConfig):
    file: File = field(title="PDF")
    first: int = field(1, title="From page", ge=1)
    last: int | None = field(None, title="To page", description="Empty: the last one.", ge=1)
    password: str = secret("", title="Password", description="Of a PDF that is protected.")


@connector(
    "READ_PDF",
    Config,
    title="Read a PDF",
    help="Gives the text of a PDF, page by page.",
    icon="docs",
    keywords=("pdf", "text", "invoice", "extract", "document"),
    summary=first_of("file"),
    repeatable=True,
)
def read_pdf(config: Config, context: StepContext) -> JsonObject:
    request = {"first": config.first, "last": config.last, "password": config.password}
    with foreign_files.reading(_PDF, context.files.content(config.file), context, request) as found:
        about, pages = next(found), [*found]
    return {"text": "\n\n".join(pages), "pages": pages, **about}
