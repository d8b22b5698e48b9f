"""Files as they leave this server: in pieces, and so that no browser takes them for a page of ours."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from itertools import chain
from urllib.parse import quote
from uuid import UUID

from flask import Response
from werkzeug.http import dump_options_header

from flowforge.errors import NotFound
from flowforge.file_values import ANY_TYPE, AnyFile, InlineFile, file_id
from flowforge.files.files import KeptFile
from flowforge.media_types import media_type_of
from webapp.context import backends
from webapp.held_threads import place_for_download

_IMAGES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "image/bmp"})
"""What browsers show without running anything of it. SVG can hold scripts."""
_PDF = "application/pdf"
_ALONE = "default-src 'none'; frame-ancestors 'none'; sandbox"
_PDF_POLICY = "default-src 'none'; style-src 'unsafe-inline'; object-src 'self'; frame-ancestors 'none'"
"""Browsers show no PDF in a sandbox; their viewers run nothing in the name of its origin."""


def find_own(name: str, owner: UUID) -> KeptFile:
    """The file of that account whose id, as values have it, is `name`. Raises NotFound."""
    id_ = file_id(name)
    if id_ is None:
        raise NotFound("there is no such file")
    return backends().files.of_owner(id_, owner)


def is_image(file: AnyFile) -> bool:
    """Whether a browser may show it as a picture."""
    return media_type_of(file.type) in _IMAGES


def is_shown(file: AnyFile) -> bool:
    """Whether a browser shows it, in place of downloading it."""
    return is_image(file) or _is_pdf(file)


def show_file(file: InlineFile | KeptFile) -> Response:
    """An answer with a file for people: shown where that is safe, and downloaded else. Raises NotFound, Unavailable."""
    about, response = _about(file), _with_content(file)
    response.content_type, how = (media_type_of(about.type), "inline") if is_shown(about) else (ANY_TYPE, "attachment")
    response.headers["Content-Disposition"] = disposition(about, how)
    response.headers["Content-Security-Policy"] = _PDF_POLICY if _is_pdf(about) else _ALONE
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    response.headers["Cache-Control"] = "private, no-store"
    return response


def answer_with_file(file: InlineFile | KeptFile, status: int, headers: Mapping[str, str]) -> Response:
    """What a workflow answers with a file; its own headers go before those of the file. Raises NotFound,
    Unavailable."""
    about, response = _about(file), _with_content(file)
    own = {name.lower() for name in headers}
    response.status_code, response.content_type = status, about.type
    response.headers.update(headers)
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


def _is_pdf(file: AnyFile) -> bool:
    return media_type_of(file.type) == _PDF


def _about(file: InlineFile | KeptFile) -> AnyFile:
    return file.file if isinstance(file, KeptFile) else file


def _with_content(file: InlineFile | KeptFile) -> Response:
    response = _sending(file) if isinstance(file, KeptFile) else Response(file.content)
    response.content_length = _about(file).size
    return response


def _sending(kept: KeptFile) -> Response:
    """Holds a place for it until it is sent."""
    with ExitStack() as held:
        held.enter_context(place_for_download(kept))
        response = Response(_begun(kept.pieces()))
        response.call_on_close(held.pop_all().close)
    return response


def _begun(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The pieces, the first of which has been read: what is missing is told before anything is answered."""
    first = next(pieces, b"")
    return chain((first,), pieces)
