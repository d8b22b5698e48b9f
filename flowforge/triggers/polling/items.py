"""The items of a list, with what tells each from the others. Pure."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from flowforge.connectors.answer_paths import AnswerPath
from flowforge.connectors.sdk import ConnectorError, Polls
from flowforge.jsonio import JsonObject
from flowforge.triggers.polling.config import PollConfig

MOST_ITEMS = 20_000
_DIGEST_BYTES = 16


@dataclass(frozen=True, slots=True)
class Item:
    """`key` and `content`: digests of what tells it from all others, and of all that is in it."""

    value: Any
    key: bytes
    content: bytes


def items_of(output: JsonObject, config: PollConfig, polls: Polls) -> list[Item]:
    """The items in the list of an output, each once, in the order in which they came. Raises ConnectorError where there
    is no such list, or nothing tells its items apart."""
    values = _list_at(config.items or polls.items, output)
    if output.get("complete") is False and not polls.newest_first:
        raise ConnectorError("there is more than the list may hold: raise its limit, or ask for less", permanent=True)
    if polls.newest_first:
        values = values[::-1]
    path = config.item_id or polls.item_id
    found = _by_content(values, polls) if not path else _by_id(values, AnswerPath.read(path), path, polls)
    return list({item.key: item for item in reversed(list(found))}.values())[::-1]


def _list_at(path: str, output: JsonObject) -> list[Any]:
    values = AnswerPath.read(path).find(output)
    if not isinstance(values, list):
        raise ConnectorError(f"items: there is no list at {path}", permanent=True)
    if len(values) > MOST_ITEMS:
        raise ConnectorError(
            f"items: the list at {path} has {len(values):,} items; at most {MOST_ITEMS:,} are looked at", permanent=True
        )
    return values


def _by_id(values: Sequence[Any], id_: AnswerPath, path: str, polls: Polls) -> Iterator[Item]:
    """An item without an id is known by its content."""
    ids = [id_.find(value) for value in values]
    if values and all(each is None for each in ids):
        raise ConnectorError(f"itemId: no item has {path}", permanent=True)
    for value, own in zip(values, ids, strict=True):
        content = _content(value, polls)
        yield Item(value, content if own is None else _digest(["id", own]), content)


def _by_content(values: Sequence[Any], polls: Polls) -> Iterator[Item]:
    """Items of the same content are told apart by their number."""
    seen: Counter[bytes] = Counter()
    for value in values:
        content = _content(value, polls)
        yield Item(value, _digest([content.hex(), seen[content]]), content)
        seen[content] += 1


def _content(value: Any, polls: Polls) -> bytes:
    if isinstance(value, dict):
        value = {name: part for name, part in value.items() if name not in polls.ignored}
    return _digest(value)


def _digest(value: Any) -> bytes:
    text = json.dumps(value, sort_keys=True, ensure_ascii=True, separators=(",", ":"), default=str)
    return blake2b(text.encode(), digest_size=_DIGEST_BYTES).digest()
