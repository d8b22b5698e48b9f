"""WRITE_XML: XML made of an object, written as READ_XML gives it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from flowforge.connectors.sdk import ConnectorConfig, ConnectorError, StepContext, connector, field, first_of
from flowforge.jsonio import JsonObject

_NAME = re.compile(r"[^\W\d][\w.-]*(:[^\W\d][\w.-]*)?")
_NO_CHARACTER = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
"""What no XML may hold (XML 1.0, section 2.2)."""


class Config(ConnectorConfig):
    value: JsonObject = field(
        title="Value",
        description="An object with one field, the root. @name is an attribute, #text the text beside it.",
    )


def _output(config: Config) -> JsonObject:
    if len(config.value) != 1:
        raise ConnectorError("value: has to have one field, the root of the XML", permanent=True)
    [(name, root)] = config.value.items()
    if isinstance(root, list):
        raise ConnectorError(f"value.{name}: XML has one root, not a list", permanent=True)
    return {"text": '<?xml version="1.0" encoding="UTF-8"?>\n' + "".join(_element(name, root))}


@connector(
    "WRITE_XML",
    Config,
    title="Write XML",
    help="Makes XML of an object.",
    icon="docs",
    keywords=("xml", "soap", "json"),
    summary=first_of("value"),
    computes=_output,
    repeatable=True,
)
def write_xml(config: Config, context: StepContext) -> JsonObject:
    return _output(config)


def _element(name: str, value: Any) -> Iterator[str]:
    """A list is the element several times."""
    if not _NAME.fullmatch(name):
        raise ConnectorError(f"value: {name[:60]!r} is no name of an element or attribute", permanent=True)
    if isinstance(value, list):
        for each in value:
            yield from _element(name, each)
    elif isinstance(value, dict):
        yield f"<{name}{''.join(_attributes(value))}>{_text(value.get('#text'))}"
        for inner, part in value.items():
            if inner != "#text" and not inner.startswith("@"):
                yield from _element(inner, part)
        yield f"</{name}>"
    else:
        yield f"<{name}>{_text(value)}</{name}>"


def _attributes(value: JsonObject) -> Iterator[str]:
    for name, part in value.items():
        if name.startswith("@"):
            if not _NAME.fullmatch(name[1:]):
                raise ConnectorError(f"value: {name[:60]!r} is no name of an attribute", permanent=True)
            yield f" {name[1:]}={quoteattr(_plain(part))}"


def _text(value: Any) -> str:
    return escape(_plain(value))


def _plain(value: Any) -> str:
    if isinstance(value, dict | list):
        raise ConnectorError("value: attributes and texts cannot be objects or lists", permanent=True)
    if value is None:
        return ""
    written = str(value).lower() if isinstance(value, bool) else str(value)
    return _NO_CHARACTER.sub("\ufffd", written)
