"""What programs in processes of their own make of data and files of strangers, for a step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from flowforge.connectors import child
from flowforge.connectors.context import StepContext
from flowforge.connectors.files import Content
from flowforge.file_values import AnyFile


@contextmanager
def asking(program: child.Program, context: StepContext, request: Mapping[str, Any]) -> Iterator[Iterator[Any]]:
    """The items that a program says, while it runs."""
    with child.running(program, request, context.tools.dialer, context.user_id, context.deadline) as lines:
        yield child.items_of(lines)


@contextmanager
def reading(
    program: child.Program, content: Content, context: StepContext, request: Mapping[str, Any]
) -> Iterator[Iterator[Any]]:
    """The items that a program makes of a file, whose `path` it finds in its request."""
    with TemporaryDirectory(prefix="flowforge-file-") as folder:
        path = child.write_file(content, Path(folder) / "file")
        with asking(program, context, {**request, "path": str(path)}) as found:
            yield found


@contextmanager
def making(
    program: child.Program,
    context: StepContext,
    request: Mapping[str, Any],
    source: AnyFile | None = None,
    others: Sequence[AnyFile] = (),
) -> Iterator[tuple[list[Any], Path]]:
    """The items that a program says, and the file that it makes, under the `target` of its request. `source`: the file
    that it makes it of, under the `path`; `others`: further ones, whose paths are its `others`."""
    with TemporaryDirectory(prefix="flowforge-file-") as folder:
        path = Path(folder) / "made"
        kept = [
            child.write_file(context.files.content(file), Path(folder) / f"other-{number}")
            for number, file in enumerate(others)
        ]
        asked = {**request, "target": str(path), "others": list(map(str, kept))}
        if source is not None:
            asked["path"] = str(child.write_file(context.files.content(source), Path(folder) / "file"))
        with asking(program, context, asked) as found:
            items = [*found]
        yield items, path
