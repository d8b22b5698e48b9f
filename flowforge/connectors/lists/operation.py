"""The base of all operations, and what they share: fields of members, by their paths."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator

from flowforge.connectors.answer_paths import AnswerPath
from flowforge.connectors.config import ConnectorConfig
from flowforge.jsonio import JsonObject
from flowforge.language.evaluation.meter import Failure, Meter
from flowforge.language.evaluation.values import describe

_FIELD_NANOSECONDS = 1_500
_RECORD_BYTES = 100


class ListOperation(ConnectorConfig):
    """One piece of work on a list. Each has the field `do`, its name."""

    def apply(self, members: list[Any], meter: Meter) -> list[Any]:
        """The list after it; members are shared, never changed. Raises Failure."""
        raise NotImplementedError


def _require_path(text: str) -> str:
    if text.strip():
        AnswerPath.read(text)
    return text


Path = Annotated[str, AfterValidator(_require_path)]
"""A field of members: `name`, `customer.name`. Empty: the member itself."""


def values_at(meter: Meter, members: list[Any], path: str) -> list[Any]:
    """The values of a field of each member; what is not there is None."""
    if not path.strip():
        return members
    meter.work(len(members) * _FIELD_NANOSECONDS)
    found = AnswerPath.read(path)
    return [found.find(member) for member in members]


def keys_at(meter: Meter, members: list[Any], paths: list[str]) -> list[Any]:
    """What members are told apart by: the values of these fields; of one field its value, of none the member."""
    if len(paths) <= 1:
        return values_at(meter, members, paths[0] if paths else "")
    columns = [values_at(meter, members, path) for path in paths]
    return [list(values) for values in zip(*columns, strict=True)]


def records(meter: Meter, members: list[Any], purpose: str) -> list[JsonObject]:
    """The members, where all of them are objects; pays for new ones that are as large. Raises Failure."""
    wrong = [member for member in members if not isinstance(member, dict)]
    if wrong:
        raise Failure(f"{purpose} needs objects; there is {describe(wrong[0])} among the members")
    fields = sum(map(len, members))
    meter.work(fields * _FIELD_NANOSECONDS // 10 + len(members) * _FIELD_NANOSECONDS)
    meter.memory(fields * _RECORD_BYTES)
    return members
