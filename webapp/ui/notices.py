"""Notices that the next page shows: what was done, and, where it can be undone, how."""

from __future__ import annotations

from flask import flash


def tell(text: str, kind: str = "done", *, undo: str | None = None) -> None:
    """Show a text on the next page. `kind`: done or error; `undo`: the token of a change
    (webapp.ui.undoable_changes)."""
    flash({"text": text, "undo": undo} if undo else text, kind)  # type: ignore[arg-type]
