"""Edits of a definition, as a builder makes them: a new definition from an old one, in whatever state it is.

Steps and lists of steps are named by JSON pointers: a step `/actions/0/branches/1/actions/2`, a list `/actions/0/else`.
"""

from flowforge.language.edits.blanks import blank
from flowforge.language.edits.branches import add_branch, move_branch, remove_branch, rename_branch
from flowforge.language.edits.notes import annotate
from flowforge.language.edits.places import outermost, step_at
from flowforge.language.edits.steps import change, duplicate, insert, move, paste, remove, selected, switch

__all__ = [
    "add_branch",
    "annotate",
    "blank",
    "change",
    "duplicate",
    "insert",
    "move",
    "move_branch",
    "outermost",
    "paste",
    "remove",
    "remove_branch",
    "rename_branch",
    "selected",
    "step_at",
    "switch",
]
