"""Small files that stand in the data of an execution itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from flowforge.db import frames_store
from flowforge.db.frames_store import FrameKey
from flowforge.errors import NotFound
from flowforge.execution.state import ROOT
from flowforge.executions.views import ExecutionView
from flowforge.file_values import InlineFile, all_files
from flowforge.sentences import sentence


def find_inline_file(session: Session, execution: ExecutionView, frame: int, sha256: str, name: str) -> InlineFile:
    """The file of that name and content in what came in, or in what the steps of that frame gave. Raises NotFound."""
    for file in all_files([execution.trigger_payload, _outputs(session, execution, frame)]):
        if isinstance(file, InlineFile) and file.name == name and file.sha256 == sha256:
            return file
    raise NotFound(sentence("there is no such file in this execution"))


def _outputs(session: Session, execution: ExecutionView, number: int) -> Mapping[str, Any] | None:
    if number == ROOT:
        return execution.step_outputs
    found = frames_store.load_frames(session.connection(), [FrameKey(execution.id, number)])
    return found[0].frame.outputs if found else None
