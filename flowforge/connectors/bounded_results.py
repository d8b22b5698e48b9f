"""What a database gives, as the output of a step, bounded, or as a file."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable

from flowforge import jsonio
from flowforge.connectors.errors import ConnectorError
from flowforge.connectors.files import FileAccess
from flowforge.jsonio import JsonObject

_MOST_BYTES = 16 * 1024 * 1024


def listing(found: Iterable[JsonObject], most: int, name: str = "rows") -> JsonObject:
    """All of them as a list of that name, and their `count`. Raises ConnectorError where they are more than `most`, or
    than a step may hold."""
    listed: list[JsonObject] = []
    size = 0
    for row in found:
        if len(listed) >= most:
            field = f"most{name.capitalize()}"
            raise ConnectorError(
                f"{field}: there are more than {most} {name}: ask for fewer of them, for a file, or raise it", True
            )
        listed.append(row)
        size += len(jsonio.dumps(row))
        if size > _MOST_BYTES:
            raise ConnectorError(f"the {name} have more than {_MOST_BYTES} bytes: ask for fewer, or for a file", True)
    return {name: listed, "count": len(listed)}


def as_file(found: Iterable[JsonObject], files: FileAccess, name: str = "rows") -> JsonObject:
    """A `file` with a line of JSON for each, and their `count`. Raises ConnectorError for one that is too large."""
    count, size = 0, 0
    with tempfile.TemporaryFile() as file:
        for row in found:
            count, size = count + 1, size + file.write(jsonio.dumps(row) + b"\n")
            if size > files.most_bytes:
                raise ConnectorError(f"the {name} have more than {files.most_bytes} bytes, as one file may", True)
        return {"file": files.keep(file, f"{name}.jsonl", "application/jsonl").as_json(), "count": count}
