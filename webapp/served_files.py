"""Files as they leave this server: in pieces, and so that no browser takes them for a page of ours."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from itertools import chain
from urllib.parse import quote

from flask import Response
from werkzeug.http import dump_options_header

from flowforge.file_values import ANY_TYPE, AnyFile, InlineFile
from flowforge.files.files import KeptFile
from flowforge.media_types import media_type_of

SHOWN = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "image/bmp"})
"""What browsers show without running anything of it. SVG can hold scripts."""
PDF = "application/pdf"
_ALONE = "default-src 'none'; frame-ancestors 'none'; sandbox"
_PDF_POLICY = "default-src 'none'; style-src 'unsafe-inline'; object-src 'self'; frame-ancestors 'none'"
"""Browsers show no PDF in a sandbox; their viewers run nothing in the name of its origin."""


def stored_response(kept: KeptFile) -> Response:
    """An answer with a file for people: shown where that is safe, and downloaded else. Raises NotFound."""
    media_type = media_type_of(kept.file.type)
    is_shown = media_type in SHOWN or media_type == PDF
    response = Response(_begun(kept.pieces()), content_type=media_type if is_shown else ANY_TYPE)
    response.content_length = kept.file.size
    response.headers["Content-Disposition"] = disposition(kept.file, "inline" if is_shown else "attachment")
    response.headers["Content-Security-Policy"] = _PDF_POLICY if media_type == PDF else _ALONE
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    response.headers["Cache-Control"] = "private, no-store"
    return response


def answer_with_file(file: InlineFile | KeptFile, status: int, headers: Mapping[str, str]) -> Response:
    """What a workflow answers with a file; its own headers go before those of the file. Raises NotFound."""
    about = file.file if isinstance(file, KeptFile) else file
    content = _begun(file.pieces()) if isinstance(file, KeptFile) else file.content
    own = {name.lower() for name in headers}
    response = Response(content, status, dict(headers), content_type=None if "content-type" in own else about.type)
    response.content_length = about.size
    if "content-disposition" not in own:
        response.headers["Content-Disposition"] = disposition(about, "inline")
    return response


def disposition(file: AnyFile, how: str) -> str:
    """A Content-Disposition (RFC 6266), whatever characters the name has."""
    if not file.name or file.name.isascii():
        return dump_options_header(how, {"filename": file.name} if file.name else {})
    plain = unicodedata.normalize("NFKD", file.name).encode("ascii", "ignore").decode()
    encoded = quote(file.name, safe="!#$&+-.^_`|~")
    return dump_options_header(how, {"filename": plain, "filename*": f"UTF-8''{encoded}"})


def _begun(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The pieces, the first of which has been read: what is missing is told before anything is answered."""
    first = next(pieces, b"")
    return chain((first,), pieces)
