"""The names that n8n gives its expressions, and what can be reached from them.

https://docs.n8n.io/code/builtin/overview/
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from flowforge.language.expressions.resolving import ROOTS
from flowforge.n8n.data import Data, Output, held, quote, reach
from flowforge.n8n.expressions.found import FilesOf, Found, Group, ItemOf, ItemsOf, NodeOf
from flowforge.n8n.expressions.lexer import NotRead
from flowforge.n8n.expressions.times import UNITS
from flowforge.n8n.expressions.writing import FILTER, FLAG, FRACTION, NUMBER, PATH, TEXT, TIME, Piece
from flowforge.sentences import sentence

if TYPE_CHECKING:
    from flowforge.n8n.expressions.translation import Translation

NULL = Piece("none", PATH)
GROUPS = frozenset(
    {"$node", "$workflow", "$execution", "$vars", "$env", "$prevNode"}
    | {"Math", "JSON", "Object", "Number", "String", "Array", "Date", "DateTime"}
)
_FILE = {"fileName": "name", "mimeType": "type", "fileSize": "size"}
_PARTS_OF_TIMES = {
    "year": "%Y",
    "month": "%-m",
    "day": "%-d",
    "hour": "%-H",
    "minute": "%-M",
    "second": "%-S",
    "weekday": "%u",
    "weekNumber": "%V",
    "ordinal": "%-j",
}
_IN_GROUPS = {
    "$workflow.id": "workflow.id",
    "$workflow.name": "workflow.name",
    "$execution.id": "execution.id",
}


def find_name(translation: Translation, name: str) -> Found:
    """Raises NotRead for a name that means nothing here."""
    if name in _ROOTS:
        return _ROOTS[name](translation)
    if name in GROUPS:
        return Group(name)
    raise NotRead(f"'{name}' is not known")


def find_node(translation: Translation, name: str) -> NodeOf:
    output = translation.place.node(name)
    if output is None:
        translation.note(
            sentence("the node '%(name)s' has not run by then: what is read from it is nothing", name=name)
        )
    return NodeOf(output)


def find_member(translation: Translation, holder: Found, key: str | int) -> Found:
    """Raises NotRead."""
    match holder:
        case Data():
            return _field(translation, holder, key)
        case NodeOf():
            return _of_node(translation, holder.output, key)
        case ItemOf():
            return _of_item(translation, holder, key)
        case ItemsOf() if isinstance(key, int):
            return ItemOf(Data(reach(held(holder.output.items), key)), holder.output)
        case ItemsOf() if key == "length":
            return Piece(f"{holder.output.items} | length", FILTER, NUMBER)
        case FilesOf() if isinstance(key, str):
            return _file(holder.output.file(key))
        case Group():
            return _of_group(translation, holder.name, key)
        case Piece():
            return _of_value(holder, key)
    raise NotRead(f"'{key}' is not read here")


def call_of_node(translation: Translation, holder: NodeOf, name: str) -> Found:
    """A method of a node. Raises NotRead."""
    if holder.output is None:
        return NodeOf(None)
    output = translation.uses(holder.output)
    if name == "all":
        return ItemsOf(output)
    if name in ("first", "last", "item", "itemMatching"):
        return ItemOf(_one_of(output, name), output)
    raise NotRead(f"'{name}' of a node is not read")


def _one_of(output: Output, name: str) -> Data:
    if output.many is None or name in ("item", "itemMatching"):
        return output.item
    return Data(reach(held(output.many), -1 if name == "last" else 0))


def _field(translation: Translation, data: Data, key: str | int) -> Piece:
    if data.unlike:
        translation.note(
            sentence("what the service answers has fields with other names here; see the data of the step")
        )
    path = data.field(key) if isinstance(key, str) else reach(data.whole, key)
    return Piece(path, PATH, may_miss=True)


def _of_node(translation: Translation, output: Output | None, key: str | int) -> Found:
    if key == "isExecuted":
        return Piece("false" if output is None else "true", PATH, FLAG)
    if output is None:
        return NodeOf(None) if key in ("item", "json", "binary") else NULL
    if key == "item":
        return ItemOf(output.item, translation.uses(output))
    if key == "json":
        return translation.uses(output).item
    if key == "binary":
        return FilesOf(output)
    if key == "context":
        return Group("$context")
    raise NotRead(f"'{key}' of a node is not read")


def _of_item(translation: Translation, holder: ItemOf, key: str | int) -> Found:
    if key == "json":
        return holder.data
    if key == "binary":
        return FilesOf(holder.output)
    raise NotRead(f"'{key}' of an item is not read")


def _file(file: str | None) -> Piece:
    if file is None:
        raise NotRead("the item has no such file")
    return Piece(file, PATH, kind="file")


def _of_group(translation: Translation, name: str, key: str | int) -> Found:
    whole = f"{name}.{key}"
    if name == "$context" and key == "noItemsLeft" and translation.place.depth:
        return Piece("loop.last", PATH, FLAG)
    if name == "$node":
        return find_node(translation, str(key))
    if whole in _IN_GROUPS:
        return Piece(_IN_GROUPS[whole], PATH, TEXT)
    if whole == "$execution.resumeUrl" and translation.place.resumed_by:
        return Piece(f"resume.{translation.place.resumed_by}.url", PATH, TEXT)
    if name in ("$vars", "$env") and "vars" not in ROOTS:
        raise NotRead(f"there are no variables to take the place of {whole}")
    if name == "$vars":
        return Piece(reach("vars", str(key)), PATH, may_miss=True)
    if name == "$env":
        translation.note(
            sentence(
                "the environment variable %(key)s became a variable: set %(variable)s",
                key=key,
                variable=reach("vars", str(key)),
            )
        )
        return Piece(reach("vars", str(key)), PATH, may_miss=True)
    if whole == "Math.PI":
        return Piece("3.141592653589793", PATH, NUMBER)
    raise NotRead(f"'{whole}' is not known")


def _of_value(holder: Piece, key: str | int) -> Piece:
    if key == "length":
        return holder.or_else("[]").filtered("length", NUMBER)
    if holder.kind == TIME and key in _PARTS_OF_TIMES:
        return holder.filtered(f"date('{_PARTS_OF_TIMES[str(key)]}', {quote(holder.zone)}) | int", NUMBER)
    if holder.kind == "file":
        if key not in _FILE:
            raise NotRead(f"'{key}' of a file is not read")
        return Piece(reach(holder.text, _FILE[str(key)]), PATH, TEXT)
    if holder.kind == "duration" and isinstance(key, str) and key in UNITS:
        return Piece(holder.text, holder.level, FRACTION)
    if holder.kind in (TIME, NUMBER, "duration"):
        raise NotRead(f"'{key}' of it is not read")
    return holder.field(key)


def _json(translation: Translation) -> Found:
    return translation.uses(translation.place.given).item


def _now(translation: Translation) -> Found:
    return Piece("now", PATH, TIME, zone=translation.place.zone)


def _today(translation: Translation) -> Found:
    zone = translation.place.zone
    return Piece(f"now | start_of('day', {quote(zone)})", FILTER, TIME, zone=zone)


def _number_of_item(translation: Translation) -> Found:
    return Piece("loop.index" if translation.place.depth else "0", PATH, NUMBER)


def _number_of_run(translation: Translation) -> Found:
    if translation.place.depth:
        raise NotRead("'$runIndex' is not read in a loop")
    return Piece("0", PATH, NUMBER)


def _resume_url(translation: Translation) -> Found:
    return _of_group(translation, "$execution", "resumeUrl")


_ROOTS: dict[str, Callable[[Translation], Found]] = {
    "$json": _json,
    "$input": lambda translation: NodeOf(translation.place.given),
    "$binary": lambda translation: FilesOf(translation.place.given),
    "$now": _now,
    "$today": _today,
    "$itemIndex": _number_of_item,
    "$position": _number_of_item,
    "$runIndex": _number_of_run,
    "$executionId": lambda _: Piece("execution.id", PATH, TEXT),
    "$resumeWebhookUrl": _resume_url,
}
