"""QR_CODE: a text as a picture that telephones read (ISO/IEC 18004)."""

from __future__ import annotations

import io
from typing import Literal

from flowforge.connectors.sdk import ConnectorConfig, ConnectorError, StepContext, connector, field, first_of
from flowforge.jsonio import JsonObject

_LONGEST = 2_900
"""Bytes that the largest code holds, about (ISO/IEC 18004, table 7)."""
_TYPES = {"png": "image/png", "svg": "image/svg+xml"}


class Config(ConnectorConfig):
    text: str = field(title="Text", description="An address, a contact, anything.", max_length=_LONGEST)
    format: Literal["png", "svg"] = field("png", title="Format", labels={"png": "PNG", "svg": "SVG"})
    scale: int = field(8, title="Size", description="Pixels of each of its squares.", ge=1, le=40)
    correction: Literal["L", "M", "Q", "H"] = field(
        "M",
        title="Error correction",
        labels={"L": "7 %", "M": "15 %", "Q": "25 %", "H": "30 %"},
        description="How much of it may be hidden.",
    )
    name: str = field("", title="File name", description="Empty: code.png, code.svg.", max_length=200)


@connector(
    "QR_CODE",
    Config,
    title="QR code",
    help="Makes a QR code of a text.",
    icon="apis",
    keywords=("qr", "barcode", "picture", "ticket", "link"),
    summary=first_of("text"),
    repeatable=True,
)
def qr_code(config: Config, context: StepContext) -> JsonObject:
    import segno

    try:
        code = segno.make_qr(config.text, error=config.correction)
    except segno.DataOverflowError as error:
        raise ConnectorError("text: is too long for a QR code", permanent=True) from error
    made = io.BytesIO()
    code.save(made, kind=config.format, scale=config.scale)
    file = context.files.keep(made, config.name or f"code.{config.format}", _TYPES[config.format])
    return {"file": file.as_json()}
