"""Parts of multipart bodies (RFC 7578, RFC 2387)."""

from __future__ import annotations

import re
import secrets


def new_boundary() -> str:
    return secrets.token_hex(16)


def head_of_part(boundary: str, name: str | None, filename: str | None = None, type_: str | None = None) -> bytes:
    """What stands before the content of a part, which ends with a line break of its own."""
    disposition = "" if name is None else f"Content-Disposition: form-data; name={_quoted(name)}"
    file = "" if filename is None else f"; filename={_quoted(filename)}"
    content_type = f"Content-Type: {type_}" if type_ else ""
    lines = [f"--{boundary}", f"{disposition}{file}", content_type]
    return "".join(f"{line}\r\n" for line in [*filter(None, lines), ""]).encode()


def end_of_parts(boundary: str) -> bytes:
    return f"--{boundary}--\r\n".encode()


def _quoted(name: str) -> str:
    """The name between quotes, as forms have it (HTML Standard, section 4.10.22.8)."""
    escapes = {'"': "%22", "\r": "%0D", "\n": "%0A"}
    escaped = re.sub('["\r\n]', lambda found: escapes[found[0]], name)
    return f'"{escaped}"'
