"""XML, HTML, Markdown and feeds: taken apart in a process of its own, and made."""

from __future__ import annotations

from typing import Any

from flowforge.connectors.sdk import File, StepContext, child, foreign_files

_MARKUP = child.Program("markup_program", memory=768 * 1024 * 1024, work="the work on the markup")


def read_markup(do: str, source: File, context: StepContext, **options: Any) -> Any:
    """What the program makes of the source. Raises ConnectorError."""
    request = {"do": do, **options}
    with foreign_files.reading(_MARKUP, context.files.content(source), context, request) as found:
        [value] = found
        return value
