"""Filters between lists of records and the texts that hold them."""

from __future__ import annotations

import csv
import io
from typing import Any

from flowforge import jsonio
from flowforge.delimiters import delimiter_of
from flowforge.jsonio import JsonObject
from flowforge.language.evaluation.meter import Failure, Meter
from flowforge.language.evaluation.values import (
    encode,
    items,
    mapping,
    pay_for_decoding,
    pay_for_encoding,
    text,
    to_text,
)
from flowforge.language.filters.registry import Register

FORMAT_FILTERS = Register()

_CHARACTER_NANOSECONDS = 40
_CELL_NANOSECONDS = 400
_CELL_BYTES = 120
_MARKUP_NANOSECONDS = 200


@FORMAT_FILTERS.add("from_csv")
def from_csv(meter: Meter, value: Any, delimiter: Any = "") -> list[JsonObject]:
    """The rows of a CSV as objects, by the names in its first row. An empty delimiter is found."""
    subject = text(value, "from_csv").removeprefix("\ufeff")
    mark = _one_character(delimiter) or delimiter_of(subject.partition("\n")[0])
    meter.work(len(subject) * _CHARACTER_NANOSECONDS)
    _pay_for_cells(meter, subject.count(mark) + subject.count("\n") + 1)
    try:
        rows = [row for row in csv.reader(io.StringIO(subject, newline=""), delimiter=mark) if row]
    except csv.Error as error:
        raise Failure("from_csv: this is no CSV") from error
    return [dict(zip(rows[0], row, strict=False)) for row in rows[1:]]


@FORMAT_FILTERS.add("csv")
def csv_(meter: Meter, value: Any, columns: Any = None, delimiter: Any = ",") -> str:
    """A list of objects as CSV, with the names in its first row; `columns` chooses fields, and their order."""
    records = [mapping(record, "csv") for record in items(value, "csv")]
    meter.work(sum(map(len, records)) * _CELL_NANOSECONDS)
    given = [name for record in records for name in record] if columns is None else items(columns, "csv")
    names = [*dict.fromkeys(text(name, "columns of csv") for name in given)]
    _pay_for_cells(meter, (len(records) + 1) * len(names))
    made = io.StringIO(newline="")
    writer = csv.writer(made, delimiter=_one_character(delimiter) or ",")
    writer.writerow(names)
    for record in records:
        writer.writerow([to_text(record.get(name), meter) for name in names])
    return _paid(meter, made.getvalue())


@FORMAT_FILTERS.add("from_jsonl")
def from_jsonl(meter: Meter, value: Any) -> list[Any]:
    """The values of a text that has JSON on each line."""
    subject = text(value, "from_jsonl")
    pay_for_decoding(subject, meter)
    lines = [line for line in subject.split("\n") if line.strip()]
    _pay_for_cells(meter, len(lines))
    try:
        found = [jsonio.loads(line) for line in lines]
    except ValueError as error:
        raise Failure("from_jsonl: a line is not JSON") from error
    encode(found)  # Reading goes deeper than writing does: such a value could go nowhere.
    return found


@FORMAT_FILTERS.add("jsonl")
def jsonl(meter: Meter, value: Any) -> str:
    """A list as text, with the JSON of a member on each line."""
    members = items(value, "jsonl")
    pay_for_encoding(members, meter)
    _pay_for_cells(meter, len(members))
    return _paid(meter, b"".join(encode(member) + b"\n" for member in members).decode())


@FORMAT_FILTERS.add("html_text")
def html_text(meter: Meter, value: Any) -> str:
    """The text that a person reads in HTML."""
    from flowforge.mail import html_text as reading

    subject = text(value, "html_text")
    meter.work(len(subject) * _MARKUP_NANOSECONDS)
    meter.memory(len(subject) * 8)
    return reading.read(subject).text


def _one_character(delimiter: Any) -> str:
    mark = text(delimiter, "delimiter of csv")
    if len(mark) > 1 or mark in ("\n", "\r", '"'):
        raise Failure("a delimiter of CSV is one character, and no quote or end of line")
    return mark


def _pay_for_cells(meter: Meter, cells: int) -> None:
    meter.work(cells * _CELL_NANOSECONDS)
    meter.memory(cells * _CELL_BYTES)


def _paid(meter: Meter, made: str) -> str:
    meter.memory(len(made) * (1 if made.isascii() else 4))
    return made
