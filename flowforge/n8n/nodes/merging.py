"""The Merge node: several lists are put together."""

from __future__ import annotations

from flowforge.n8n.asking import Asked, Left, one
from flowforge.n8n.data import Data, Output
from flowforge.n8n.merging_by_sql import combined_by_sql
from flowforge.n8n.nodes import node
from flowforge.sentences import sentence


@node("merge", whole_list=True)
def merge(asked: Asked) -> Output:
    inputs = [asked.inputs[number] for number in sorted(asked.inputs)]
    if len(inputs) <= 1:
        return asked.given
    mode = asked.raw("mode", "append")
    if mode == "append":
        return _appended(asked, inputs)
    if mode in ("chooseBranch", "passThrough", "wait"):
        return _chosen(asked, inputs)
    if mode == "combineBySql":
        return combined_by_sql(asked, inputs)
    return _combined(asked, inputs, str(mode))


def _appended(asked: Asked, inputs: list[Output]) -> Output:
    rows = asked.values.fits(" + ".join(f"({asked.seen(each.items)})" for each in inputs))
    return Output(many=f"{asked.step('TRANSFORM', {'output': {'items': f'{{{{ {rows} }}}}'}})}.items")


def _chosen(asked: Asked, inputs: list[Output]) -> Output:
    number = str(asked.raw("useDataOfInput", asked.raw("output", "1")))
    last = number in ("2", "input2")
    if asked.raw("output") == "empty":
        return Output(Data("{}"))
    return inputs[1 if last else 0]


def _combined(asked: Asked, inputs: list[Output], mode: str) -> Output:
    """Joins lists in code, each with what the ones before it gave: by position, by fields, or all pairs."""
    way = str(asked.raw("combineBy", asked.raw("combinationMode", _OLD_WAYS.get(mode, "mergeByFields"))))
    given = {"lists": [asked.braced(each.items) for each in inputs]}
    if way in ("combineByPosition", "mergeByPosition", "mergeByIndex"):
        rows = asked.code(_joined(_BY_POSITION), {**given, "all": asked.raw("options.includeUnpaired") is True})
        return Output(many=rows) if any(each.many for each in inputs) else one(f"{rows}[0]")
    if way in ("combineAll", "multiplex"):
        return Output(many=asked.code(_joined(_ALL_PAIRS), given))
    if way in ("combineByFields", "mergeByFields", "mergeByKey"):
        kept = {"join": str(asked.raw("joinMode", "keepMatches")), "keys": _keys(asked)}
        return Output(many=asked.code(_joined(_BY_FIELDS), {**given, **kept}))
    raise Left(sentence("the way '%(way)s' to combine lists has no counterpart", way=way))


def _joined(pair: str) -> str:
    """Code that does the same to the first and the second list, to what this gives and the third, ..."""
    return f"const join = (first, second) => {{\n{pair}}};\nreturn input.lists.reduce(join);\n"


_OLD_WAYS = {"mergeByIndex": "mergeByPosition", "mergeByKey": "mergeByKey", "multiplex": "multiplex"}


def _keys(asked: Asked) -> list[list[str]]:
    rows = asked.rows("mergeByFields.values")
    if rows:
        return [[str(row.get("field1", "")), str(row.get("field2", ""))] for row in rows]
    simple = asked.raw("fieldsToMatchString")
    if isinstance(simple, str) and not simple.startswith("="):
        return [[name.strip(), name.strip()] for name in simple.split(",")]
    old = [asked.raw("propertyName1"), asked.raw("propertyName2")]
    if all(isinstance(name, str) and not name.startswith("=") for name in old):
        return [[str(name) for name in old]]
    name = str(asked.needed("", sentence("the fields to match by"), "id"))
    return [[name, name]]


_BY_POSITION = """// The first with the first, the second with the second, ...
const length = (input.all ? Math.max : Math.min)(first.length, second.length);
return Array.from({ length }, (_, at) => ({ ...first[at], ...second[at] }));
"""
_ALL_PAIRS = """return first.flatMap((left) => second.map((right) => ({ ...left, ...right })));
"""
_BY_FIELDS = """// Rows of both lists whose fields are equal.
const at = (row, path) => path.split('.').reduce((value, key) => value?.[key], row);
const key = (row, side) => JSON.stringify(input.keys.map((names) => String(at(row, names[side]))));
const groups = new Map();
second.forEach((row) => groups.set(key(row, 1), [...(groups.get(key(row, 1)) ?? []), row]));
const pairs = first.map((row) => [row, groups.get(key(row, 0)) ?? []]);
const known = new Set(first.map((row) => key(row, 0)));
const alone = second.filter((row) => !known.has(key(row, 1)));
const matched = pairs.flatMap(([left, rows]) => rows.map((right) => ({ ...left, ...right })));
const unmatched = pairs.filter(([, rows]) => !rows.length).map(([left]) => left);
const enriched = pairs.flatMap(([left, rows]) => (rows.length ? rows.map((right) => ({ ...left, ...right })) : [left]));
return {
  keepMatches: matched, keepNonMatches: [...unmatched, ...alone], enrichInput1: enriched,
  enrichInput2: [...matched, ...alone], keepEverything: [...enriched, ...alone],
}[input.join] ?? matched;
"""
