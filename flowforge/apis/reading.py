"""Files become descriptions."""

from __future__ import annotations

from dataclasses import replace

from flowforge.apis.bundling import Fetch, bundle, refers_elsewhere
from flowforge.apis.description import Description, Refused
from flowforge.apis.dialects import discovery, openapi2, openapi3
from flowforge.apis.document import UnreadableDescription, read_document, write_document
from flowforge.jsonio import JsonObject
from flowforge.sentences import sentence


def read_description(data: bytes, address: str = "", fetch: Fetch | None = None) -> Description:
    """Read a file, JSON or YAML, OpenAPI 2.0, 3.0, 3.1 or Google Discovery.

    `address` is where the file was found: relative addresses in it start there. References to other documents are
    followed by `fetch`; without it, what needs them is refused. Raises UnreadableDescription.
    """
    document = read_document(data)
    written = write_document(document)
    if _is_discovery(document):
        return discovery.read(document, address)
    if not isinstance(document.get("paths"), dict):
        raise UnreadableDescription(_why_no_description(document))
    failures = bundle(document, address, fetch or _fetch_nothing) if refers_elsewhere(written) else {}
    description = _read_openapi(document, address)
    refused = [Refused(target, reason) for target, reason in failures.items()]
    return replace(description, refused_parts=[*description.refused_parts, *refused])


def _is_discovery(document: JsonObject) -> bool:
    return document.get("kind") == "discovery#restDescription" or "discoveryVersion" in document


def _read_openapi(document: JsonObject, address: str) -> Description:
    if "swagger" in document:
        return openapi2.read(document, address)
    return openapi3.read(document, address)


def _fetch_nothing(address: str) -> bytes:
    raise ValueError(sentence("another document, which was not fetched"))


def _why_no_description(document: JsonObject) -> str:
    if "openapi" in document or "swagger" in document:
        return "the file describes no paths that could be called"
    return "the file is neither OpenAPI (2.0, 3.0, 3.1) nor Google Discovery"


__all__ = ["Fetch", "UnreadableDescription", "read_description"]
