"""Files of descriptions as trees of JSON, whatever they are written in."""

from __future__ import annotations

from flowforge import jsonio
from flowforge.apis.yaml_document import UnreadableYaml, read_yaml
from flowforge.jsonio import JsonObject

MOST_BYTES = 25_000_000
"""Of a file, and of all documents of a description together. The largest in use have about 20 million."""
MOST_NESTING = 200
_MOST_CHARACTERS = 2 * MOST_BYTES
_WHITESPACE = b" \t\r\n"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class UnreadableDescription(ValueError):
    """The file is no description of an API that can be read; the text says why."""


def read_document(data: bytes) -> JsonObject:
    """The object that a JSON or YAML file holds. Raises UnreadableDescription."""
    if len(data) > MOST_BYTES:
        raise UnreadableDescription(f"the file has {len(data):,} bytes; the limit is {MOST_BYTES:,}")
    read = _read_json if _looks_like_json(data) else _read_yaml
    document = read(data)
    if not isinstance(document, dict):
        raise UnreadableDescription("the file is no description of an API: it holds no object")
    return document


def write_document(document: JsonObject) -> bytes:
    """The document as JSON. Raises UnreadableDescription where it is too large or nested too deeply."""
    try:
        return jsonio.dumps(document)
    except TypeError as error:
        raise UnreadableDescription(jsonio.why_not_json(error)) from error


def _looks_like_json(data: bytes) -> bool:
    return data[:1_000].removeprefix(_BYTE_ORDER_MARK).lstrip(_WHITESPACE).startswith((b"{", b"["))


def _read_json(data: bytes) -> object:
    try:
        return jsonio.loads(data)
    except ValueError as error:
        return _read_loose_json(data, error)


def _read_loose_json(data: bytes, error: ValueError) -> object:
    """JSON with comments or commas too many is YAML as a rule."""
    try:
        return read_yaml(data, _MOST_CHARACTERS, MOST_NESTING)
    except UnreadableYaml:
        raise UnreadableDescription(f"the file is not JSON: {error}") from error


def _read_yaml(data: bytes) -> object:
    try:
        return read_yaml(data, _MOST_CHARACTERS, MOST_NESTING)
    except UnreadableYaml as error:
        raise UnreadableDescription(f"the file is not YAML: {error}") from error
