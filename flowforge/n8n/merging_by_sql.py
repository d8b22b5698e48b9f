"""Merge's joins by SQL: selects over the lists `input1`, `input2`, ... become code.

Read are `SELECT` with fields and stars, `JOIN`s on equal fields or on nothing, and `WHERE` for what is there or not.
https://docs.n8n.io/integrations/builtin/core-nodes/n8n-nodes-base.merge/
"""

from __future__ import annotations

import re

from flowforge.jsonio import JsonObject
from flowforge.n8n.asking import Asked, Left
from flowforge.n8n.data import Output
from flowforge.sentences import sentence

_DEFAULT = "SELECT * FROM input1 LEFT JOIN input2 ON input1.name = input2.id"
_SELECT = re.compile(
    r"SELECT\s+(?P<fields>.+?)\s+FROM\s+input(?P<first>\d)(?P<joins>.*?)(?:\s+WHERE\s+(?P<where>.+?))?\s*;?",
    re.I | re.S,
)
_JOIN = re.compile(
    r"\s*(?:(LEFT|INNER|CROSS)\s+(?:OUTER\s+)?)?JOIN\s+input(\d)(?:\s+ON\s+(.+?))?(?=\s+(?:LEFT|INNER|CROSS|JOIN)\b|\s*$)",
    re.I | re.S,
)
_FIELD = r"input(\d)((?:(?:\.|->)\w+)+)"
_CHOSEN = re.compile(
    rf"(?:(?P<star>\*)|input(?P<of>\d)\.\*|{_FIELD}(?:\s+AS\s+[`'\"\[]?(?P<name>\w+)[`'\"\]]?)?)", re.I
)
_EQUAL = re.compile(rf"{_FIELD}\s*=\s*{_FIELD}")
_THERE = re.compile(rf"{_FIELD}\s+IS\s+(NOT\s+)?NULL", re.I)
_ALWAYS = re.compile(r"true|1\s*=\s*1", re.I)


def combined_by_sql(asked: Asked, inputs: list[Output]) -> Output:
    """Raises Left for a select that is not read."""
    raw = str(asked.needed(asked.raw("query", ""), sentence("the query"), _DEFAULT))
    query = re.sub(r"--[^\n]*", "", raw).strip()
    found = _SELECT.fullmatch(query)
    if found is None:
        raise Left(sentence("its SQL is more than joins of lists: do that in a CODE step"))
    given: JsonObject = {
        "lists": [asked.braced(each.items) for each in inputs],
        "first": int(found["first"]) - 1,
        "joins": _joins(found["joins"]),
        "fields": [_chosen(field) for field in found["fields"].split(",")],
        "tests": [_test(part) for part in re.split(r"\s+AND\s+", found["where"] or "", flags=re.I) if part],
    }
    return Output(many=asked.code(_CODE, given))


def _joins(text: str) -> list[JsonObject]:
    """Raises Left."""
    found = list(_JOIN.finditer(text))
    if "".join(join[0] for join in found).split() != text.split():
        raise Left(sentence("a join of its SQL is not read: do that in a CODE step"))
    return [{"list": int(join[2]) - 1, "left": (join[1] or "").upper() == "LEFT", "on": _on(join[3])} for join in found]


def _on(text: str | None) -> list[list[JsonObject]]:
    """Pairs of fields that are equal; none where all rows belong together. Raises Left."""
    if text is None or _ALWAYS.fullmatch(text.strip()):
        return []
    pairs = [_EQUAL.fullmatch(part.strip(" ()\n\t")) for part in re.split(r"\s+AND\s+", text, flags=re.I)]
    if not all(pairs):
        raise Left(sentence("a join of its SQL is more than equal fields: do that in a CODE step"))
    return [[_field(pair[1], pair[2]), _field(pair[3], pair[4])] for pair in pairs if pair]


def _chosen(text: str) -> JsonObject:
    """Raises Left."""
    found = _CHOSEN.fullmatch(text.strip())
    if found is None:
        raise Left(sentence("its SQL computes fields: do that in a CODE step"))
    if found["star"] or found["of"]:
        return {"all": int(found["of"]) - 1 if found["of"] else None}
    field = _field(found[3], found[4])
    return {**field, "name": found["name"] or field["path"][-1]}


def _test(text: str) -> JsonObject:
    """Raises Left."""
    found = _THERE.fullmatch(text.strip())
    if found is None:
        raise Left(sentence("its SQL has conditions that are not read: do that in a CODE step"))
    return {**_field(found[1], found[2]), "there": found[3] is not None}


def _field(number: str, path: str) -> JsonObject:
    return {"list": int(number) - 1, "path": re.split(r"\.|->", path)[1:]}


_CODE = """// A row is an object of the rows of all lists, by the numbers of these.
const at = (row, { list, path }) => path.reduce((value, key) => value?.[key], row[list]);
const fits = (row, on) => on.every(([one, other]) => at(row, one) !== undefined && at(row, one) === at(row, other));
let rows = (input.lists[input.first] ?? []).map((row) => ({ [input.first]: row }));
for (const { list, left, on } of input.joins) {
  rows = rows.flatMap((row) => {
    const pairs = (input.lists[list] ?? []).map((other) => ({ ...row, [list]: other }));
    const found = pairs.filter((pair) => fits(pair, on));
    return found.length || !left ? found : [row];
  });
}
const kept = rows.filter((row) => input.tests.every((test) => ((at(row, test) ?? null) !== null) === test.there));
return kept.map((row) => Object.assign({}, ...input.fields.map((field) => {
  if ('all' in field) return field.all === null ? Object.assign({}, ...Object.values(row)) : row[field.all];
  return { [field.name]: at(row, field) ?? null };
})));
"""
