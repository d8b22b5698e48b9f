"""Differences of two definitions as people read them: the old text, the new text, and the words that changed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Literal

from flowforge import jsonio
from flowforge.connectors.catalog import Catalog
from flowforge.jsonio import JsonObject
from flowforge.language.differences import ABSENT, Differences, FieldChange, StepChange
from flowforge.language.pointers import dotted, parsed
from flowforge.language.tree import LISTS
from webapp.translation.texts import gettext, lazy
from webapp.ui.kinds import kind_of, title_of

_MOST_WORDS = 800
"""Comparing takes the square of it; what is longer is shown as a whole, before and after."""
_LONGEST = 4_000
_WORDS = re.compile(r"\w+|\s+|.", re.DOTALL)
_LABELS = {
    "when": lazy("Only run if"),
    "enabled": lazy("Enabled"),
    "onError": lazy("If it fails"),
    "onReject": lazy("If it is rejected"),
    "id": lazy("ID in expressions"),
    "retry": lazy("Attempts"),
    "timeout": lazy("Time limit"),
    "afterCrash": lazy("If FlowForge crashes during the call"),
}
_CHANGES = {"added": lazy("Added"), "removed": lazy("Removed"), "changed": lazy("Changed"), "moved": lazy("Moved")}


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a text: in both of them, or only in one."""

    kind: Literal["same", "before", "after"]
    text: str


@dataclass(frozen=True, slots=True)
class WrittenField:
    label: str
    pieces: Sequence[Piece]


@dataclass(frozen=True, slots=True)
class WrittenStep:
    kind: Literal["added", "removed", "changed", "moved"]
    title: str
    type: str
    icon: str
    fields: Sequence[WrittenField]
    moved: tuple[str, str] | None = None
    """Positions before and after."""

    @property
    def change(self) -> str:
        """The word for what was done to it."""
        return str(_CHANGES[self.kind])


@dataclass(frozen=True, slots=True)
class Written:
    fields: Sequence[WrittenField]
    """Changed fields of the workflow itself."""
    steps: Sequence[WrittenStep]

    @property
    def is_empty(self) -> bool:
        return not self.fields and not self.steps


def written(found: Differences, catalog: Catalog) -> Written:
    return Written([_field(change, "") for change in found.fields], [_step(change, catalog) for change in found.steps])


def _step(change: StepChange, catalog: Catalog) -> WrittenStep:
    kind = kind_of(catalog, change.type.upper())
    at = change.after or change.before or ""
    fields = [_field(field, at) for field in change.fields]
    if change.action is not None:
        fields = list(_whole(change.action, change.kind))
    moved = (_describe_position(change.before), _describe_position(change.after)) if change.kind == "moved" else None
    title = title_of(catalog, change.type.upper(), change.name, change.id)
    return WrittenStep(change.kind, title, kind.title, kind.icon, fields, moved)


_POLICY = ("when", "onReject", "onError", "retry", "timeout", "afterCrash")


def _whole(action: JsonObject, kind: str) -> Iterator[WrittenField]:
    """Yield all fields of a step that is new, or gone."""
    side: Literal["before", "after"] = "after" if kind == "added" else "before"
    config = action.get("config")
    values = (
        {f"config/{key}": value for key, value in config.items()} if isinstance(config, dict) else {"config": config}
    )
    values |= {key: action[key] for key in _POLICY if key in action}
    for path, value in values.items():
        if value not in (None, "", [], {}) and not (path in LISTS and isinstance(value, list)):
            yield WrittenField(_label(path), [Piece(side, _text(value))])


def _field(change: FieldChange, at: str) -> WrittenField:
    return WrittenField(_label(change.pointer.removeprefix(at)), _pieces(change.before, change.after))


def _label(field_path: str) -> str:
    """Name a field: `/config/headers/accept` becomes `headers.accept`."""
    parts = parsed(f"/{field_path.strip('/')}")
    if parts[0] == "branches" and len(parts) > 2 and isinstance(parts[1], int):
        field = gettext("Condition") if parts[2] == "when" else dotted(parts[2:])
        return f"{gettext('Branch %(number)s', number=parts[1] + 1)}: {field}"
    path = dotted(parts[1:] if parts[0] == "config" and len(parts) > 1 else parts)
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", path).lower() if path.isalpha() else path
    return str(_LABELS.get(path, f"{words[:1].upper()}{words[1:]}"))


def _describe_position(pointer: str | None) -> str:
    """Describe a position: `/actions/2` becomes `step 3`, a deeper one is followed by the path to it."""
    *way, last = parsed(pointer or "/actions/0")
    number = gettext("step %(number)s", number=last + 1) if isinstance(last, int) else str(last)
    around = [part for part in way if part not in ("actions", "branches")]
    return gettext("%(step)s of %(block)s", step=number, block=dotted(around)) if around else number


def _pieces(before: Any, after: Any) -> list[Piece]:
    if before is ABSENT or before is None:
        return [Piece("after", _text(after))]
    if after is ABSENT or after is None:
        return [Piece("before", _text(before))]
    old, new = _text(before), _text(after)
    old_words, new_words = _WORDS.findall(old), _WORDS.findall(new)
    if not isinstance(before, str) or not isinstance(after, str) or len(old_words) + len(new_words) > _MOST_WORDS:
        return [Piece("before", old), Piece("after", new)]
    return list(_compare_lines(old_words, new_words))


def _compare_lines(old: list[str], new: list[str]) -> Iterator[Piece]:
    for kind, begin, end, new_begin, new_end in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            yield Piece("same", "".join(old[begin:end]))
            continue
        if end > begin:
            yield Piece("before", "".join(old[begin:end]))
        if new_end > new_begin:
            yield Piece("after", "".join(new[new_begin:new_end]))


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if isinstance(value, str):
        text = value
    else:
        text = jsonio.indented(value) if isinstance(value, dict | list) else jsonio.dumps(value).decode()
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
